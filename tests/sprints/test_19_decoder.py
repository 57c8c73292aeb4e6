"""Sprint 19, notes 9, 10, 11 and 13: the modern decoder and the ladder."""

import math
import statistics
from dataclasses import replace

import pytest
import torch
from lesson_texts import lesson_texts, shown
from scipy.special import stdtrit

from shared.checks.intervals import mean_interval
from shared.nn.decoder import Decoder, DecoderConfig
from shared.text.corpora import cookbook_tokenizer

FOLDER = "19_transformer_variants"
exercises, note = lesson_texts(FOLDER)


@pytest.fixture
def script(load_sprint):
    return lambda name: load_sprint(f"{FOLDER}/{name}.py")


def test_note_9_a_token_in_both_norms_and_a_model_in_other_weights(script):
    module = script("norms_by_hand")
    results = module.main(module.Config(layers=2))
    assert (results.mean, results.variance, results.mean_square) == (4.5, 4.75, 25.0)
    assert results.rms_norm == pytest.approx([0.4, 0.8, 0.8, 1.6])
    expected = torch.nn.functional.layer_norm(torch.tensor(results.token), (4,), eps=0)
    assert results.layer_norm == pytest.approx(expected.tolist(), abs=1e-6)
    shown(note(9), *results.layer_norm)
    assert "(0.4, 0.8, 0.8, 1.6)" in note(9)
    assert all(0.97 < number < 1.04 for number in results.shifted_rms_norm), "a large mean is all that RMSNorm sees"
    as_they_were, centred = results.models.values()
    assert as_they_were > 0.1
    assert centred < 1e-10
    module.plot(results)
    with pytest.raises(ValueError, match="two different numbers"):
        module.Config(token=(1.0, 1.0)).check()


def test_note_9_only_layer_norms_before_the_parts_are_rms_norms(script):
    module = script("norms_by_hand")
    for options in ({}, {"bias": False, "placement": "around"}, {"bias": False, "norm": "rms"}):
        with pytest.raises(ValueError, match="can be RMSNorms in other weights"):
            module.as_rms_norm(Decoder(DecoderConfig.gpt2(9, d_model=8, **options)))


def test_note_9_two_gated_features_multiply(script):
    module = script("gates_of_a_layer")
    results = module.main(module.Config(steps=3, seeds=1, rates=(0.01,)))
    assert list(results.by_hand.values()) == pytest.approx([6, -6, -700], rel=1e-4)
    assert {network.weights for network in results.networks.values()} == {72}
    assert results.networks["SwiGLU"].within[1] is None
    module.plot(results)
    with pytest.raises(ValueError, match="give an even one"):
        module.Config(hidden=3).check()
    silu = [z / (1 + math.exp(-z)) for z in (2, -2)]
    shown(note(9), *silu, 3 * silu[0], -3 * silu[1], form=".4f")
    assert silu[0] - silu[1] == pytest.approx(2)
    assert "SwiGLU has 85 parameters and the others 73" in note(9)
    for kind, used in (("SwiGLU", 85), ("ReLU", 73), ("GELU", 73)):
        network = module.make(kind, 12)
        unused = network.contract.in_features + 1  # the second output and its bias
        assert sum(parameter.numel() for parameter in network.parameters()) - unused == used


def test_note_10_groups_norms_and_turns_by_hand(script):
    module = script("grouped_queries_by_hand")
    results = module.main(module.Config())
    shown(note(10), *results.mixed, *results.mixed_in_turn, form=".2f")
    shown(note(10), *results.weights[0], results.normalised_score)
    assert results.normalised_score <= math.sqrt(2)
    assert results.norm_then_turn == pytest.approx([results.norm_then_turn[0]] * 4, abs=1e-5)
    assert max(results.turn_then_norm) - min(results.turn_then_norm) > 1
    shown(note(10), results.norm_then_turn[0], *results.turn_then_norm)
    module.plot(results)
    with pytest.raises(ValueError, match=r"at most 1e6; got 10000000\.0"):
        module.Config(size=1e7).check()


def test_note_10_rows_in_another_order_are_the_other_family(script, monkeypatch):
    module = script("wrong_pairing")
    monkeypatch.setattr(module, "share_interval", lambda *_: (0.0, 1.0))  # scipy.stats takes seconds to import
    config = DecoderConfig.qwen3(20, layers=2, heads=4, key_value_heads=2, d_model=16, head_dim=6)
    halves = Decoder(config)
    for parameter in halves.parameters():
        parameter.data.add_(0.3 * torch.randn_like(parameter))
    other = Decoder(replace(config, pairing="interleaved"))
    other.load_state_dict(module.reordered(halves))
    tokens = torch.randint(20, (2, 9))
    torch.testing.assert_close(other(tokens), halves(tokens), atol=1e-5, rtol=1e-5)
    results = module.main(module.Config(questions=1, new_tokens=8))
    right, wrong, mended = results.models.values()
    assert wrong.nats > 2 * right.nats
    assert mended.nats == pytest.approx(right.nats, abs=1e-4)
    assert wrong.first_nats == pytest.approx(right.first_nats, abs=1e-4), "the first token is not turned"


def test_note_11_caps_by_hand(script):
    module = script("logits_by_hand")
    results = module.main(module.Config())
    shown(note(11), *(results.capped[logit] for logit in ("10", "30", "100")), form=".1f")
    shown(note(11), *results.shifted)
    for cap, vocab in ((3.0, 2048), (5.0, 2048), (1.0, 2)):
        logits = torch.full((vocab,), -cap)
        logits[0] = cap
        assert module.least_loss(cap, vocab) == pytest.approx(-logits.log_softmax(0)[0].item(), abs=1e-4)
    shown(note(11), module.least_loss(3.0, 2048), module.least_loss(5.0, 2048), form=".2f")
    assert module.least_loss(3.0, 512) < results.reached < module.least_loss(3.0, 512) + 0.05
    module.plot(results)


def test_note_11_a_tied_head_cannot_say_a_circle(script):
    module = script("tied_heads")
    config = module.Config(tokens=3, starts=4, steps=80, rate=0.2)
    results = module.main(config)
    assert results.best["tied"] >= results.bound_of_tied - 1e-4
    assert results.best["tied, RMSNorm with gains"] >= results.bound_with_gains - 1e-4
    assert results.best["untied"] < 0.05
    assert results.best["tied, a matrix between"] < 0.05
    assert module.losses("tied", replace(config, tokens=4)).min() >= math.log(4) - 1e-4
    with pytest.raises(ValueError, match="at most 100 million"):
        module.Config(tokens=10_000).check()
    module.plot(results)


def circle_loss(logits):
    """Return the mean loss of words of which each is followed by the next one (..., tokens, tokens)."""
    words = torch.arange(logits.shape[-1])
    return -logits.log_softmax(dim=-1)[..., words, words.roll(-1)].mean(dim=-1)


def test_note_11_no_weights_break_the_bounds():
    # Of five words the best vectors stand at equal angles: the word itself is ahead of its next by 0.618 as much as
    # the next is ahead of the words across.
    ahead = torch.linspace(0, 3, 10_001, dtype=torch.double)
    of_five = (2 + ((math.sqrt(5) - 1) / 2 * ahead).exp() + 2 * (-ahead).exp()).log().min().item()
    angles = 2 * math.pi * torch.arange(5) / 5
    circle = torch.stack([angles.cos(), angles.sin()], dim=1)
    found = min(circle_loss(size * circle @ circle.T).item() for size in (0.60, 0.65, 0.70))
    assert found == pytest.approx(of_five, abs=1e-4)
    shown(exercises, of_five)
    assert math.log(3) < of_five < math.log(5)
    generator = torch.Generator().manual_seed(0)
    sizes = torch.logspace(-2, 1, 2000, dtype=torch.double)[:, None, None]
    for tokens, least in ((2, math.log(2)), (3, math.log(3)), (4, math.log(4)), (5, of_five)):
        embedding = sizes * torch.randn(2000, tokens, 4, generator=generator, dtype=torch.double)
        losses = circle_loss(embedding @ embedding.mT)
        assert least - 1e-7 <= losses.min() < math.log(tokens) + 0.01
    scores = 4 * sizes * torch.randn(2000, 3, 3, generator=generator, dtype=torch.double)
    rows = torch.rand(2000, 3, 1, generator=generator, dtype=torch.double)
    assert math.log(2) / 3 <= circle_loss((scores + scores.mT) / rows).min() < 0.5, "with a norm and gains"


def test_note_13_one_class_is_five(script, monkeypatch):
    module = script("decoder_equals")
    assert [name.split("For")[0].split("LM")[0] for _, name in module.CLASSES.values()] == [
        "GPT2", "Llama", "Qwen3", "Gemma2", "Gemma3"
    ]  # fmt: skip
    two = {family: module.CLASSES[family] for family in ("GPT-2", "Gemma 3")}  # test_decoder.py has all of them
    monkeypatch.setattr(module, "CLASSES", two)
    monkeypatch.setattr(module, "PADDINGS", ("on the left",))
    results = module.main(module.Config(layers=2, d_model=16, tokens=8, batch=2))
    assert set(results.differences) == {name for _, name in two.values()}
    for row in results.differences.values():
        for difference in row.values():
            assert max(difference.logits, difference.gradients, difference.cache) < 1e-5
    with pytest.raises(ValueError, match="got 12 and 24"):
        module.Config(d_model=12).check()


def test_note_13_an_interval_by_hand():
    below, rung = (0.80, 0.90, 0.85), (0.78, 0.89, 0.82)
    mean, half = mean_interval([b - a for a, b in zip(below, rung, strict=True)])
    assert f"{mean:.2f} ± {half:.3f}".replace("-", "−") in note(13)
    three, five = (stdtrit(runs - 1, 0.975) for runs in (3, 5))
    shown(note(13), three, five, form=".2f")
    shown(note(13), statistics.stdev(below), statistics.stdev(rung))
    shown(note(13), five * 0.01 / math.sqrt(5))


def test_note_13_rungs_are_one_switch_apart(script):
    module = script("ladder")
    assert module.PRESETS["upper"]["rungs"][0] == module.PRESETS["full"]["rungs"][-1]
    for preset in module.PRESETS.values():
        module.Config(**preset).check()
    configs = {rung: module.rung_config(rung, 50, d_model=48, layers=3) for rung in module.NAMES}
    changed = [
        [name for name, value in vars(after).items() if value != getattr(before, name)]
        for before, after in zip(list(configs.values()), list(configs.values())[1:], strict=False)
    ]
    assert max(map(len, changed)) <= 2
    assert all(changed)
    sizes = {rung: Decoder(config).parameter_count() for rung, config in configs.items()}
    assert sizes["swiglu"] == sizes["rotary"] < sizes["rms_norm"] == sizes["no_biases"] < sizes["gpt2"]
    tied, untied = (
        Decoder(module.rung_config(rung, 2048, layers=3, d_model=64)).parameter_count()
        for rung in ("qk_norm", "untied")
    )
    assert f"it adds {untied - tied:,} to {tied:,}" in note(11)
    assert configs["grouped"].cache_numbers(256) == configs["gpt2"].cache_numbers(256) / 4
    assert configs["window"].cache_numbers(256) == 2 * 12 * (256 + 2 * 32)


def test_note_13_a_tiny_ladder_trains_the_same_way_twice(script, monkeypatch):
    module = script("ladder")
    monkeypatch.setattr(module, "cookbook_tokenizer", lambda _: cookbook_tokenizer(600, recipes=100))
    config = module.Config(
        rungs=("gpt2", "window"), factors=(1.0, 2.0), context=512, layers=1, heads=2, d_model=8,
        steps=2, batch_size=1, validation_recipes=1, test_recipes=1, seeds=2,
    )  # fmt: skip
    results = module.main(config)
    first, last = results.rungs["gpt2"], results.rungs["window"]
    assert first.change is None
    assert last.change is not None
    assert last.change[0] == pytest.approx(sum(last.losses) / 2 - sum(first.losses) / 2)
    assert 0 < results.optimum < min(first.losses)
    assert set(first.searched) == {"1", "2"}
    again = module.main(replace(config, rungs=("gpt2",), factors=(first.factor,)))
    assert again.rungs["gpt2"].losses == first.losses
    module.plot(results)
    with pytest.raises(ValueError, match="must fit into the context of 16 tokens"):
        module.main(replace(config, context=16))
    with pytest.raises(ValueError, match="head_dim must be even, got 1"):
        module.Config(d_model=4).check()


# What the exercises work out on paper


def test_a_token_in_two_norms_and_a_decoder_counted():
    token = torch.tensor([1.0, 1, 1, 5])
    for answer in (torch.nn.functional.rms_norm(token, (4,)), torch.nn.functional.layer_norm(token, (4,), eps=0)):
        shown(exercises, *answer.tolist())
    sizes = {"layers": 3, "d_model": 64, "context": 256}
    gpt2 = DecoderConfig.gpt2(2048, **sizes)
    rms = replace(gpt2, bias=False, norm="rms")
    steps = [gpt2, rms, replace(rms, positions="rotary"), replace(rms, positions="rotary", feed_forward="gated")]
    counts = [Decoder(config).parameter_count() for config in steps]
    shown(exercises, *counts, form=",")
    shown(exercises, counts[3] - Decoder(replace(steps[3], key_value_heads=1)).parameter_count(), form=",")


def test_heads_and_caps_on_paper():
    shown(note(10), 1 / (1 + 199 * math.exp(-8)))
    shown(note(10), 2 * 32 * 8 * 128, 2 * 32 * 32 * 128, form=",")
    assert f"{128_256 * 4096 / 1e6:.0f} million parameters, {128_256 * 4096 / 8e9:.1%}".replace("%", " %") in note(11)
    shown(note(11), math.exp(6), form=".0f")
    assert f"{11 / 12 / 64:.1%}".replace("%", " %") in note(9)
