"""Sprint 8's claims, at a small size."""

import json
import math
from collections import Counter
from dataclasses import replace

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from shared.nn.gpt import GPT, GPTConfig


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("equals_transformers", "--tokens 7", "--tokens: must be greater than or equal to 8; got 7"),
        ("equals_transformers", "--d-model 32", "--d-model: must be a multiple of 12; got 32"),
        ("save_and_load", "--layers 0", "--layers: must be greater than or equal to 1; got 0"),
        ("tokenizing", "--merges -1", "--merges: must be greater than or equal to 1; got -1"),
        ("how_it_starts", "--d-model 40", "--d-model must be a multiple of 32, the width of a head; got 40"),
        ("one_matrix_two_uses", "--text 3 0", "--text must be ids from 0 to 2; got (3, 0)"),
        ("one_word", "--merges 0", "--merges: must be greater than or equal to 1; got 0"),
        ("what_training_needs", "--tokens 1", "--tokens: must be greater than or equal to 2; got 1"),
        ("walk", "--device cuda:99", "device must be auto or one that is present"),
        ("where_the_parameters_are", "--tokens 1025", "--tokens: must be less than or equal to 1024; got 1025"),
    ],
)
def test_a_bad_command_line_is_refused_in_a_sentence(refusal, name, words, sentence):
    assert sentence in refusal(f"08_gpt2_assembly/{name}.py", words)


def test_what_does_not_fit_the_model_is_told_before_it_runs(load_sprint):
    walk, equals = (load_sprint(f"08_gpt2_assembly/{name}.py") for name in ("walk", "equals_transformers"))
    for text, count in (("", 0), ("Warm the butter. " * 30, "\\d+")):
        with pytest.raises(ValueError, match=f"--text must have 2 to 64 tokens, .*; got {count}"):
            walk.main(walk.Config(text=text, device="cpu"))
    journey, whole = (load_sprint(f"08_gpt2_assembly/{name}.py") for name in ("one_tokens_journey", "whole_model"))
    with pytest.raises(ValueError, match="recipe 0 does not contain 'nothing': give words of it by --until"):
        journey.main(journey.Config(until="nothing"))
    with pytest.raises(ValueError, match="d_model must be a multiple of heads; got d_model=100, heads=12"):
        whole.main(whole.Config(d_model=100))
    for sizes in ({"tokens": 1025}, {"new_tokens": 1017}):
        with pytest.raises(ValueError, match="the model takes 1024 tokens; got --tokens"):
            equals.main(equals.Config(layers=1, d_model=12, device="cpu", **sizes))


def test_walk_sees_every_stage_in_order(load_sprint):
    walk = load_sprint("08_gpt2_assembly/walk.py")
    results = walk.main(walk.Config(device="cpu"))
    names = [step.module for step in results.steps]
    assert (
        names.index("token_embedding")
        < names.index("blocks.0.attention")
        < names.index("blocks.1")
        < names.index("head")
    )
    shapes = {step.module: step.shape for step in results.steps}
    batch, tokens, vocab = shapes["head"]
    assert (batch, vocab) == (1, 512)
    assert shapes["blocks.0.attention.qkv"] == [1, tokens, 3 * 32]
    assert shapes["blocks.0.feed_forward.expand"] == [1, tokens, 4 * 32]
    assert results.loss == pytest.approx(math.log(512), rel=0.05)
    # The tied head is counted with the embedding and with itself: that is one matrix too many.
    assert sum(step.parameters for step in results.steps) == results.parameters + 512 * 32


def test_parameters_by_formula_are_those_of_the_module(load_sprint):
    script = load_sprint("08_gpt2_assembly/where_the_parameters_are.py")
    for config in (
        GPTConfig(vocab_size=50, context=16, layers=3, heads=2, d_model=8),
        GPTConfig(vocab_size=7, d_model=12),
    ):
        assert sum(script.count_parts(config).values()) == GPT(config).parameter_count()
    assert sum(script.count_parts(script.SIZES["gpt2"]).values()) == 124_439_808


def test_operations_by_formula_are_those_that_pytorch_counts(load_sprint):
    script = load_sprint("08_gpt2_assembly/where_the_parameters_are.py")
    config = GPTConfig(vocab_size=64, context=32, layers=2, heads=2, d_model=16)
    assert script.counted_flops(config, 32) == pytest.approx(script.forward_flops(config, 32), rel=1e-6)


def test_a_small_random_gpt2_equals_transformers(load_sprint):
    script = load_sprint("08_gpt2_assembly/equals_transformers.py")
    config = script.Config(layers=2, d_model=48, tokens=12, new_tokens=20, device="cpu")
    results = script.main(config)
    assert results.logit_difference < 1e-5
    assert results.loss_difference < 1e-5
    assert results.gradient_difference < 1e-5
    assert results.round_trip_difference < 1e-5
    assert results.same_greedy_tokens == 20
    assert script.main(config) == results, "same seed, same results"


def test_merges_by_hand_are_the_librarys(load_sprint):
    script = load_sprint("08_gpt2_assembly/tokenizing.py")
    results = script.main(script.Config(recipes=5, merges=60))
    assert results.merges_equal == 60
    assert results.characters_per_token == sorted(results.characters_per_token), "larger vocabularies, longer tokens"
    assert results.tokens["ours"]["recipe"] < results.tokens["characters"]["recipe"] / 3


def test_merging_takes_pairs_from_left_to_right(load_sprint):
    script = load_sprint("08_gpt2_assembly/tokenizing.py")
    assert script.merge(("a", "a", "a", "b"), ("a", "a")) == ("aa", "a", "b")
    words = Counter({("l", "o", "w"): 5, ("l", "o", "t"): 2, ("n", "e", "w"): 3})
    assert script.learn_merges(words, 2) == [("l", "o"), ("lo", "w")]
    assert script.learn_merges(Counter({("a",): 3}), 2) == [], "nothing left to merge"


def test_of_equally_frequent_pairs_the_one_of_older_tokens_is_merged_as_in_the_library(load_sprint):
    script = load_sprint("08_gpt2_assembly/tokenizing.py")
    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=6, show_progress=False)
    library.train_from_iterator(["ab " * 5 + "abc " * 2 + "cd " * 2], trainer)
    merges = [tuple(pair) for pair in json.loads(library.to_str())["model"]["merges"]]
    words = Counter({("a", "b"): 5, ("a", "b", "c"): 2, ("c", "d"): 2})
    assert script.learn_merges(words, 2) == merges == [("a", "b"), ("c", "d")], "ab + c is as frequent, and younger"


def test_all_formats_come_back_and_weights_alone_continue_differently(load_sprint):
    script = load_sprint("08_gpt2_assembly/save_and_load.py")
    config = script.Config(layers=2, d_model=32, device="cpu")
    results = script.main(config)
    assert results.logit_differences["safetensors"] == results.logit_differences["checkpoint"] == 0
    assert results.logit_differences["transformers folder"] < 1e-5
    assert results.next_losses["checkpoint"] == results.next_losses["uninterrupted"]
    assert results.next_losses["weights alone"] < results.next_losses["uninterrupted"], (
        "exercise G: different, and not always worse"
    )
    assert results.sizes_mb["checkpoint"] > 2.5 * results.sizes_mb["safetensors"], (
        "Adam's moments weigh twice the weights"
    )
    assert "truncated" in results.errors["truncated"]
    assert "start without --resume" in results.errors["missing"]
    assert "layers is 99, in the checkpoint 2" in results.errors["other model"]
    assert script.main(replace(config, seed=1)).next_losses != results.next_losses


def test_the_drawing_of_the_whole_model_counts_what_the_model_has(load_sprint):
    script = load_sprint("08_gpt2_assembly/whole_model.py")
    results = script.main(script.Config(vocab_size=50, context=16, layers=3, heads=2, d_model=8))
    parts = results.parts
    block = parts["attention"] + parts["feed-forward"] + 2 * parts["norm of a part"]
    around = parts["token embedding"] + parts["positions"] + parts["norm at the end"]
    assert around + 3 * block == results.parameters == GPT(GPTConfig(50, 16, 3, 2, 8)).parameter_count()
    assert script.plot(results).axes


def test_the_journey_is_the_models_own_and_ends_in_the_list_of_ingredients(load_sprint):
    script = load_sprint("08_gpt2_assembly/one_tokens_journey.py")
    results = script.main(script.Config())
    assert results.difference < 1e-2
    assert [station.name for station in results.stations][:3] == ["token", "position", "sum"]
    token, position, together = (station.features for station in results.stations[:3])
    assert together == pytest.approx([a + b for a, b in zip(token, position, strict=True)], abs=1e-6)
    (best, probability), *_ = results.predicted.items()
    assert probability > 0.5
    looks = [look for look in results.looks if look.token == best and look.weight > 0.5]
    assert {look.back for look in looks} == {64}, "note 4 says how far up the ingredient is"
    recipe = script.Cookbook().recipe("test", 0).text
    assert "then whisk in the hen eggs" in recipe
    assert "6 large hen eggs" in recipe


def test_the_factor_keeps_the_path_at_one_size_and_hardly_shows_in_the_loss(load_sprint):
    script = load_sprint("08_gpt2_assembly/how_it_starts.py")
    results = script.main(script.Config(layers=(2, 16), d_model=64, seeds=1))
    shallow, deep = (results.with_factor[layers].sizes[0][-1] for layers in (2, 16))
    assert deep == pytest.approx(shallow, rel=0.2)
    shallow, deep = (results.without_factor[layers].sizes[0][-1] for layers in (2, 16))
    assert deep > 1.8 * shallow
    for start in (*results.with_factor.values(), *results.without_factor.values()):
        assert start.losses[0] == pytest.approx(results.guessing, abs=0.06)


@pytest.mark.parametrize("fake", [False, True])
@pytest.mark.parametrize(("batch", "tokens"), [(16, 32), (1, 2)])
def test_memory_by_formula_is_what_is_allocated(load_sprint, fake, batch, tokens):
    script = load_sprint("08_gpt2_assembly/what_training_needs.py")
    config = GPTConfig(vocab_size=512, context=32, layers=2, heads=2, d_model=32, dropout=0.0)
    counted = script.count(config, batch, tokens, fake=fake) / 1e9
    # A batch that is nearly empty has its peak at the end, when all gradients are there.
    assert script.by_formula(config, batch, tokens).by_formula == pytest.approx(counted, rel=0.01)


def test_a_variable_that_holds_the_logits_costs_a_fourth_tensor(load_sprint, monkeypatch):
    script = load_sprint("08_gpt2_assembly/what_training_needs.py")
    config = GPTConfig(vocab_size=5000, context=64, layers=2, heads=4, d_model=32, dropout=0.0)
    without, loss, held = script.count(config, 4, 64, fake=True), script.next_token_loss, {}

    def loss_of_a_loop_with_a_variable(logits, ids):
        held["logits"] = logits
        return loss(logits, ids)

    monkeypatch.setattr(script, "next_token_loss", loss_of_a_loop_with_a_variable)
    assert script.count(config, 4, 64, fake=True) - without == pytest.approx(4 * 4 * 64 * 5000, rel=0.05)
