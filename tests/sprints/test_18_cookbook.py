"""Sprint 18, notes 16 and 17: kinds of tokens, models of equal size, and what layers cost, on tiny settings."""

from collections import Counter

import pytest
import torch
from lesson_texts import lesson_texts, shown

from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.text.ngrams import KneserNey

FOLDER = "18_sequence_models"
exercises, note = lesson_texts(FOLDER)


@pytest.fixture
def load(load_sprint):
    return lambda script: load_sprint(f"{FOLDER}/{script}.py")


@pytest.fixture
def part(load_sprint):
    return lambda module: load_sprint(f"{FOLDER}/sequences/{module}.py")


@pytest.fixture
def corpus():
    return CookbookCorpus(cookbook_tokenizer(512, 50), validation_recipes=4)


def test_the_parts_of_a_loss_add_up(part, corpus):
    losses = part("kinds_of_loss")

    shares, optimum = losses.optimum_by_kind(corpus, 6)
    assert sum(shares.values()) == pytest.approx(1)
    targets = sum(len(document) - 1 for document in corpus.documents("test", 0, 6))
    least = -sum(corpus.cookbook.recipe("test", index).log_prob for index in range(6)) / targets
    assert optimum.loss == pytest.approx(least)
    ngram = KneserNey(3, 512).fit(corpus.train_documents(5000))
    found = losses.by_kind(corpus, 6, losses.ngram_nats(ngram, corpus, 6))
    assert found.loss == pytest.approx(ngram.loss(corpus.documents("test", 0, 6)))
    assert found.loss > optimum.loss


@pytest.mark.parametrize("arm", ["rnn", "lstm", "gru", "mamba", "gpt"])
def test_models_have_the_size_asked_for_and_every_parameter_moves(part, arm):
    models = part("cookbook_models")

    width = models.width_for(arm, 64, 60_000, 32)
    torch.manual_seed(0)
    model = models.build(arm, 64, width, 32)
    assert model.parameter_count() == pytest.approx(60_000, rel=0.2)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimizers = models.optimizers_of(model, 1.0)
    moved = [weight for optimizer in optimizers for group in optimizer.param_groups for weight in group["params"]]
    assert Counter(map(id, moved)) == Counter(map(id, model.parameters()))
    for _ in range(2):
        model(torch.arange(24).view(2, 12)).square().sum().backward()
        for optimizer in optimizers:
            optimizer.step()
    unused = {"positions"}  # of places that no row reaches
    same = [name for name, part in model.named_parameters() if torch.equal(part, before[name])]
    assert not [name for name in same if not unused & set(name.split("."))]


def test_no_model_of_that_size(part):
    width_for = part("cookbook_models").width_for

    with pytest.raises(ValueError, match="--parameters"):
        width_for("lstm", 64, 10, 32)


def small(script, **options):
    settings = {"seconds": 0.2, "steps": 3, "parameters": 30_000, "recipes": 4, "vocab_size": 512, "context": 512}
    settings["factors"] = script.PRESETS["full"]["factors"]
    return script.Config(**settings | {"batch_size": 2, "ngram_tokens": 3000} | options)


def test_equal_tokens_are_equal_and_repeat(load):
    script = load("cookbook")
    config = small(script, budget="tokens", arms=("lstm", "gpt"), search=0.5)
    results = script.main(config)
    lstm, gpt = results.models["LSTM"], results.models["GPT"]
    assert lstm.tokens == gpt.tokens > 0
    assert sum(lstm.kinds.values()) == pytest.approx(lstm.loss)
    assert len(lstm.searched) == 3
    assert str(lstm.factor) in {f"{float(name)}" for name in lstm.searched}
    assert lstm.searched[f"{lstm.factor:g}"] == min(lstm.searched.values())
    assert min(lstm.loss, gpt.loss) > results.optimum
    assert script.main(config).models["LSTM"].loss == lstm.loss
    assert script.plot(results).axes


def test_equal_seconds_end_in_time(load):
    script = load("cookbook")
    results = script.main(small(script, arms=("gru",), factors=(1.0,)))
    assert 0.2 <= results.models["GRU"].training_seconds < 5
    assert results.models["GRU"].searched == {}
    with pytest.raises(ValueError, match="--search"):
        small(script, search=0.0).check()


def test_costs(load):
    script = load("cost")
    results = script.main(script.Config(lengths=(8, 16), d_model=8, heads=2, rounds=1, decoded=1))
    assert results.largest_difference < 1e-5
    for name in ("LSTM", "Mamba", "linear attention"):
        assert results.token_bytes[name][0] == results.token_bytes[name][1]  # a state has one size
    assert results.token_bytes["LSTM"] == [64, 64]  # h and c, 8 numbers of 4 bytes each
    assert results.token_bytes["linear attention"] == [160, 160]  # 2 heads of 4 x 4 and a sum of keys
    assert results.token_bytes["attention"] == [9 * 64, 17 * 64]  # keys and values
    assert all(kept[1] > kept[0] for kept in results.training_bytes.values())
    assert script.plot(results).axes
    with pytest.raises(ValueError, match="rise"):
        script.Config(lengths=(16, 8)).check()


def test_crossings_are_where_attention_is_slower_for_good(load):
    script = load("cost")
    found = script.crossings([1, 2, 4], {"a": [1, 9, 1], "b": [5, 5, 5], "attention": [2, 2, 3]}, "attention")
    assert found == {"a": 4, "b": None, "attention": None}


def test_costs_by_hand_are_the_note(load):
    script = load("costs_by_hand")
    results = script.main(script.Config())
    assert (results.text_crossing, results.token_crossing) == (256, 128)
    assert script.lstm(255, 64) == script.attention(255, 64)
    assert script.next_token(127, 64) == script.lstm(1, 64) == 32_768
    for number in (255, 127, 32_768, script.attention(4, 2), script.lstm(4, 2), script.next_token(4, 2)):
        assert f"{number:,}" in note(17)
    assert (script.attention(4, 2), script.lstm(4, 2), script.next_token(4, 2)) == (104, 128, 36)
    assert script.plot(results)
    wide = script.main(script.Config(d_model=256))
    assert (wide.text_crossing, wide.token_crossing) == (1024, 512)
    assert "1,024" in exercises
    assert "512" in exercises


def test_kinds_by_hand_are_the_note(load):
    script = load("kinds_by_hand")
    results = script.main(script.Config())
    shown(note(16), *results.least, *results.model, results.optimum, results.loss, *results.excess.values())
    assert sum(results.excess.values()) == pytest.approx(results.loss - results.optimum)
    assert script.plot(results).axes
