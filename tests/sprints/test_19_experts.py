"""Experts of sprint 19: by hand, what the balance losses see, and texts of two voices."""

import math
from dataclasses import replace

import pytest
import torch
from lesson_texts import lesson_texts, shown

from shared.nn.mixtral import Mixtral, MixtralConfig
from shared.nn.mixture_of_experts import Routing, balance_of_layer, route
from shared.training.losses import count_targets

FOLDER = "19_transformer_variants"
PAGE, note = lesson_texts(FOLDER)
SMALL = MixtralConfig(300, layers=1, heads=2, key_value_heads=1, d_model=8, d_hidden=4, experts=3, top_k=2)


@pytest.fixture
def by_hand(load_sprint):
    return load_sprint(f"{FOLDER}/experts_by_hand.py")


@pytest.fixture
def balance(load_sprint):
    return load_sprint(f"{FOLDER}/balance.py")


@pytest.fixture
def wrong(load_sprint):
    return load_sprint(f"{FOLDER}/wrong_balance.py")


@pytest.fixture
def below(load_sprint):
    return load_sprint(f"{FOLDER}/below_balance.py")


@pytest.fixture
def two_voices(load_sprint):
    return load_sprint(f"{FOLDER}/two_voices.py")


@pytest.fixture
def voices(load_sprint):
    return load_sprint(f"{FOLDER}/variants/voices.py")


@pytest.fixture
def sorting(load_sprint):
    return load_sprint(f"{FOLDER}/variants/sorting.py")


@pytest.fixture
def texts(voices, monkeypatch):
    monkeypatch.setattr(voices, "TOKENIZER_TEXTS", 20)
    return voices.TwoVoices(("soup",), 300)


def test_note_14_four_words_by_hand(by_hand):
    found = by_hand.main(by_hand.Config())
    text = note(14)
    warm, of_three = found.words[0], by_hand.main(by_hand.Config(top_k=3)).words[0]
    shown(text, *warm.probabilities, sum(warm.probabilities[e] for e in warm.chosen), *warm.weights, warm.output)
    shown(text, of_three.output, *of_three.weights)
    assert found.load == [0.75, 1.0, 0.25, 0.0]
    shown(text, *found.probability, found.balance / 4, found.balance)
    assert found.balance == pytest.approx(found.balance_at_once, abs=1e-6)
    assert found.expert_runs == 8
    outputs = torch.tensor([[(expert + 1) * sum(x) for expert in range(4)] for x in by_hand.FEATURES])
    routing = route(torch.tensor(by_hand.FEATURES) @ torch.tensor(by_hand.ROUTER).T, 2)
    mixed = (outputs.gather(1, routing.chosen) * routing.weights).sum(dim=1)
    torch.testing.assert_close(mixed, torch.tensor([word.output for word in found.words]))


@pytest.mark.parametrize(
    ("text", "layers", "d_model", "d_hidden"), [(note(14), 32, 4096, 14_336), (PAGE, 56, 6144, 16_384)]
)
def test_the_sizes_of_mixtrals(text, layers, d_model, d_hidden):
    vocab, key_value_features = 32_000, 1024
    expert = 3 * d_model * d_hidden
    attention = 2 * d_model**2 + 2 * d_model * key_value_features
    rest = layers * (attention + 8 * d_model) + 2 * vocab * d_model
    everything, active = 8 * layers * expert + rest, 2 * layers * expert + rest
    assert f"3 · {d_model:,} · {d_hidden:,} = {expert / 1e6:.1f} million" in text
    assert f"{8 * layers * expert / 1e9:.1f} billion" in text
    assert f"{everything / 1e9:.1f} billion" in text
    assert f"{active / 1e9:.1f} billion" in text
    if text == PAGE:
        assert f"{attention / 1e6:.1f} million a layer, {layers * attention / 1e9:.2f} billion" in text


def test_the_experts_that_sixteen_tokens_read():
    assert f"(6/8)¹⁶ = {0.75**16:.3f}" in note(14)


def test_with_one_choice_nothing_reaches_the_router():
    logits = torch.tensor([[2.0, 1, 0, -2]], requires_grad=True)
    for top_k, moves in ((1, False), (2, True)):
        (gradient,) = torch.autograd.grad(route(logits, top_k).weights[0, 0], logits)
        assert (gradient.abs().max().item() > 1e-6) is moves


def test_the_pool_does_not_see_layers_that_complement_each_other(balance, monkeypatch):
    # test_mixture_of_experts.py compares the pool with transformers, which takes seconds to import.
    monkeypatch.setattr(balance, "library_loss", lambda _, layers: balance.pooled_balance_loss(layers).item())
    found = balance.main(balance.Config(tokens=64, steps=60, rate=2.0))
    worst = found.situations["each layer prefers others"]
    assert worst.layer_by_layer > 3.2
    assert worst.one_pool == pytest.approx(2, abs=0.2)
    by_layer, pool = (max(map(max, found.descents[name].after)) for name in balance.LOSSES)
    assert by_layer < 0.75
    assert pool > 0.85
    balance.plot(found)


def test_wrong_losses_do_not_balance(wrong):
    found = wrong.main(wrong.Config(rows=128, steps=100, rate=0.6, seeds=2)).kinds
    assert found["without a gradient"].moved == 0
    assert found["without a gradient"].loads == found["before"].loads
    assert found["right"].largest[0] < 0.65 < found["padding counted"].largest[0]


def test_a_smaller_loss_than_the_balanced_one_has_idle_experts(below):
    found = below.main(below.Config(tokens_each=8))
    assert found.two_experts == pytest.approx(0.875, abs=1e-3)
    for experts, case in found.cases.items():
        logits = below.below(int(experts), case.idle, 8, 1e-3)
        assert below.idle_of(logits) == case.idle == int(experts) // 2
        assert case.idle_after == int(experts) - 1
        assert case.loss == pytest.approx(case.formula, rel=1e-2)
        assert case.loss < 1 < case.loss_after


def test_no_routing_of_two_experts_is_below_seven_eighths(below):
    generator = torch.Generator().manual_seed(0)
    for spread in (0.01, 1.0, 30.0):
        for _ in range(50):
            logits = spread * torch.randn(16, 2, generator=generator) + torch.randn(2, generator=generator)
            assert below.balance_of_layer(route(logits, 1)).item() > 0.875


def test_texts_come_in_turns_with_their_probability(texts):
    rows = texts.rows("validation", 0, 6)
    assert rows.voice.tolist() == [0, 1, 0, 1, 0, 1]
    assert torch.equal(
        texts.rows("validation", 2, 2).tokens[0], rows.tokens[2, : texts.rows("validation", 2, 2).tokens.shape[1]]
    )
    found = [texts.text("validation", index) for index in range(6)]
    assert found == [texts.text("validation", index) for index in range(6)]
    assert found[0] != texts.text("train", 0)
    total = sum(log_prob for _, log_prob in found)
    assert texts.optimum("validation", 6) == pytest.approx(-total / count_targets(rows.tokens, rows.real))


def test_the_probability_of_a_text_is_that_of_its_only_derivation(texts):
    from shared.text.grammar import GrammarFault, Parser

    for index in range(20):
        text, log_prob = texts.text("train", index)
        parsed = []
        for grammar in texts.grammars:
            parser = Parser(text)
            try:
                grammar.write_method(parser)
                parser.finish()
            except GrammarFault:
                continue
            parsed.append(parser.log_prob)
        assert parsed == [pytest.approx(log_prob + math.log(2))]


def test_note_15_two_experts_that_sort_words(load_sprint):
    script = load_sprint(f"{FOLDER}/purity_by_hand.py")
    found, text = script.main(script.Config()), note(15)
    assert found.expert_voice == [[50, 10], [20, 40]]
    shown(text, found.voice_by_expert, found.voice_by_word, found.voice_untold, found.of_both_by_expert)
    assert (found.voice_by_expert, found.voice_by_word, found.expert_by_word) == pytest.approx((0.75, 0.75, 1))
    told = script.main(script.Config(router="voice"))
    assert (told.voice_by_expert, told.of_both_by_expert) == (1, 1)
    script.plot(found)
    one = 3 * 64 * 16
    assert all(f"{number:,}" in text for number in (one, 2 * one, 4 * one, 8 * one, 8 * 64))
    shown(text, math.log(2))
    shown(text, math.log(2) / 100)


def test_a_finer_sorting_is_never_less_pure(sorting):
    generator = torch.Generator().manual_seed(0)
    fine, kind = torch.randint(12, (2, 200), generator=generator)
    for _ in range(20):
        coarse = torch.randint(4, (12,), generator=generator)[fine]
        purities = [sorting.purity(sorting.tally(group, kind % 2, 12, 2)) for group in (coarse, fine)]
        assert purities[0] <= purities[1]


def test_purity_counts_right_guesses(sorting):
    counts = sorting.tally(torch.tensor([0, 0, 0, 1, 1]), torch.tensor([0, 0, 1, 1, 1]), 2, 2)
    assert counts.tolist() == [[2, 1], [0, 2]]
    assert sorting.purity(counts) == pytest.approx(4 / 5)


def test_what_a_layer_sorts_by_is_asked_of_first_choices_of_real_tokens(sorting, voices, monkeypatch):
    tokens, real = torch.tensor([[1, 2, 3], [1, 3, 3]]), torch.tensor([[True, True, False], [True, True, True]])
    rows, model = voices.VoicedRows(tokens, real, torch.tensor([0, 1])), Mixtral(SMALL)
    first = torch.tensor([0, 0, 2, 1, 1, 1])  # by voice, and padding elsewhere
    routing = Routing(torch.zeros(6, 3), torch.stack([first, (first + 1) % 3], dim=1), torch.full((6, 2), 0.5))
    monkeypatch.setattr(model, "with_routing", lambda _: (None, [routing]))
    (found,) = sorting.sorting_of_layers(model, rows, torch.arange(300) == 1)
    assert (found.largest_load, found.smallest_load) == pytest.approx((0.6, 0))
    assert (found.voice, found.voice_by_word) == pytest.approx((1, 0.8))
    assert (found.shared_voice, found.shared_voice_by_word) == pytest.approx((1, 0.5))
    assert found.expert_by_word == pytest.approx(0.8)


def test_a_word_of_both_voices_is_frequent_and_about_even(sorting, voices):
    counts = {1: (20, 20), 2: (40, 0), 3: (5, 5), 4: (13, 12), 5: (30, 15)}  # plain and flirty occurrences
    plain, flirty = ([word for word, both in counts.items() for _ in range(both[voice])] for voice in range(2))
    tokens = torch.tensor([plain, flirty + [2] * (len(plain) - len(flirty))])  # padded with a word of one voice
    real = torch.arange(len(plain)) < torch.tensor([[len(plain)], [len(flirty)]])
    both = sorting.words_of_both(voices.VoicedRows(tokens, real, torch.tensor([0, 1])), 7)
    assert both.nonzero().flatten().tolist() == [1, 4]


def test_the_balance_of_real_tokens_has_the_weight_of_the_coefficient(voices, texts):
    rows, model = texts.rows("train", 0, 4), Mixtral(SMALL, torch.Generator().manual_seed(0))
    rows.real[:2, 5:] = False
    for parameter in model.parameters():
        parameter.data.mul_(10)  # or all loads and probabilities are nearly even, whatever counts
    plain, targets = voices.loss_with_balance(model, rows, 0.0)
    both, again = voices.loss_with_balance(model, rows, 0.5)
    _, (routing,) = model.with_routing(rows.tokens[:, :-1])
    balance = balance_of_layer(route(routing.logits[rows.real[:, :-1].flatten()], 2))
    assert again == targets
    assert ((both - plain) / targets).item() == pytest.approx(0.5 * balance.item(), rel=1e-4)
    assert balance_of_layer(routing).item() != pytest.approx(balance.item(), rel=1e-3)


def test_all_models_of_two_voices_train_and_are_compared(two_voices, voices, monkeypatch):
    monkeypatch.setattr(voices, "TOKENIZER_TEXTS", 20)
    monkeypatch.setattr(two_voices, "WORD_TEXTS", 60)
    tiny = two_voices.Config(
        models=two_voices.PRESETS["full"]["models"], dishes=("soup",), vocab_size=300, layers=1, heads=2, d_model=8,
        d_hidden=4, experts=3, steps=2, batch_size=2, rates=(1e-2,), measured=4, seeds=1,
    )  # fmt: skip
    found = two_voices.main(tiny)
    sizes = {kind: (model.parameters, model.active) for kind, model in found.models.items()}
    one, router = 3 * 8 * 4, 3 * 8
    base = sizes["small"][0] - 2 * one
    assert sizes["large"] == (base + 3 * one, base + 3 * one)
    assert sizes["experts"] == sizes["unbalanced"] == (base + 3 * one + router, base + 2 * one + router)
    assert sizes["by_voice"] == (base + 4 * one, base + 2 * one)
    assert all(model.runs[0].loss > found.optimum for model in found.models.values())
    assert len(found.models["experts"].runs[0].layers) == 1
    two_voices.plot(found)
    again = two_voices.main(replace(tiny, models=("experts",)))
    assert again.models["experts"].runs == found.models["experts"].runs


def test_a_voice_has_a_network_of_its_own(load_sprint):
    models = load_sprint(f"{FOLDER}/variants/voice_models.py")
    layer, x = models.NetworkOfTheVoice(4, 6), torch.randn(4, 3, 4, generator=torch.Generator().manual_seed(0))
    mixed = layer(x)
    for row in range(4):
        torch.testing.assert_close(mixed[row], layer.voices[row % 2](x[row : row + 1])[0])


def test_options_that_do_not_fit(refusal):
    assert "at most to all of them" in refusal(f"{FOLDER}/two_voices.py", "--top-k 9")
    assert "at most to all of them" in refusal(f"{FOLDER}/experts_by_hand.py", "--top-k 5")
    assert "give more experts" in refusal(f"{FOLDER}/balance.py", "--top-k 3")
    assert "pad less" in refusal(f"{FOLDER}/wrong_balance.py", "--rows 1 --padding 0.9")
    assert "an even number" in refusal(f"{FOLDER}/two_voices.py", "--heads 1")
    assert "into even parts" in refusal(f"{FOLDER}/two_voices.py", "--d-model 12")
