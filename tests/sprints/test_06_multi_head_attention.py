"""Sprint 6's claims, at a small size."""

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.checks.invariants import (
    InvariantError,
    check_cache,
    check_causality,
    check_padding_invariance,
    check_source_sensitivity,
)
from shared.checks.sanity import check_gradients, check_initial_loss, check_overfits_one_batch, check_reported_loss
from shared.nn.attention import MultiHeadAttention, attend
from shared.nn.cache import KeyValueCache
from shared.nn.masks import causal_mask, for_all_queries, padding_mask
from shared.training.losses import next_token_loss

FOLDER = "06_multi_head_attention"
BATCH, TOKENS, SOURCE, D_MODEL, HEADS, VOCAB = 3, 6, 5, 16, 4, 11


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


# MultiHeadAttention equals PyTorch's, in outputs and in every gradient

LENGTHS = torch.tensor([6, 4, 2])
SOURCE_LENGTHS = torch.tensor([5, 3, 1])
# Ours, then theirs, in which True is hidden.
CASES: dict[str, tuple[dict, dict]] = {
    "none": ({}, {}),
    "causal": ({"causal": True}, {"attn_mask": ~causal_mask(TOKENS)}),
    "padding": (
        {"mask": padding_mask(LENGTHS, TOKENS)},
        {"key_padding_mask": ~padding_mask(LENGTHS, TOKENS)[:, 0, 0]},
    ),
    "both": (
        {"mask": padding_mask(LENGTHS, TOKENS), "causal": True},
        {"attn_mask": ~causal_mask(TOKENS), "key_padding_mask": ~padding_mask(LENGTHS, TOKENS)[:, 0, 0]},
    ),
    "cross": ({}, {}),
    "cross + padding": (
        {"mask": padding_mask(SOURCE_LENGTHS, SOURCE)},
        {"key_padding_mask": ~padding_mask(SOURCE_LENGTHS, SOURCE)[:, 0, 0]},
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("need_weights", [True, False], ids=["explicit", "fused"])
def test_multi_head_attention_is_the_librarys(load_sprint, case: str, need_weights: bool):
    torch.manual_seed(0)
    ours = MultiHeadAttention(D_MODEL, HEADS)
    nn.init.normal_(ours.qkv.bias)  # zeros at first, which would hide a bias that is left out
    nn.init.normal_(ours.output.bias)
    theirs = load_sprint(f"{FOLDER}/build_up.py").library_layer(ours, D_MODEL)
    x = torch.randn(BATCH, TOKENS, D_MODEL, requires_grad=True)
    memory = torch.randn(BATCH, SOURCE, D_MODEL, requires_grad=True) if "cross" in case else None
    source, upstream = x if memory is None else memory, torch.randn(BATCH, TOKENS, D_MODEL)
    our_masks, their_masks = CASES[case]
    if need_weights:
        found, found_weights = ours.forward_with_weights(x, memory, **our_masks)
    else:
        found = ours(x, memory, **our_masks)
    expected, weights = theirs(x, source, source, need_weights=need_weights, average_attn_weights=False, **their_masks)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    if need_weights:
        torch.testing.assert_close(found_weights, weights, atol=1e-5, rtol=0)
    inputs = [x] if memory is None else [x, memory]
    pairs = [
        (ours.qkv.weight, theirs.in_proj_weight),
        (ours.qkv.bias, theirs.in_proj_bias),
        (ours.output.weight, theirs.out_proj.weight),
        (ours.output.bias, theirs.out_proj.bias),
        *zip(inputs, inputs, strict=True),
    ]
    our_gradients = torch.autograd.grad((found * upstream).mean(), [one for one, _ in pairs])
    their_gradients = torch.autograd.grad((expected * upstream).mean(), [other for _, other in pairs])
    for one, other in zip(our_gradients, their_gradients, strict=True):
        assert other.any()
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


@pytest.mark.parametrize("case", CASES)
def test_multi_head_attention_is_the_fused_kernel_between_projections(case: str):
    torch.manual_seed(0)
    layer, x = MultiHeadAttention(D_MODEL, HEADS), torch.randn(BATCH, TOKENS, D_MODEL)
    memory = torch.randn(BATCH, SOURCE, D_MODEL) if "cross" in case else x
    weights, biases = layer.qkv.weight.chunk(3), layer.qkv.bias.chunk(3)
    query, key, value = (
        functional.linear(source, weight, bias).unflatten(-1, (HEADS, -1)).transpose(1, 2)
        for source, weight, bias in zip((x, memory, memory), weights, biases, strict=True)
    )
    masks = CASES[case][0]
    mask = masks.get("mask", torch.ones(1, 1, 1, memory.shape[1], dtype=torch.bool))
    mask = mask & causal_mask(TOKENS) if masks.get("causal") else mask
    mixed = functional.scaled_dot_product_attention(query, key, value, mask.expand(BATCH, 1, TOKENS, -1))
    expected = layer.output(mixed.transpose(1, 2).flatten(2))
    found = layer(x, None if memory is x else memory, **masks)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        layer.forward_with_weights(x, None if memory is x else memory, **masks)[0], expected, atol=1e-5, rtol=0
    )


# Every invariant holds for it and goes red when it is broken


class Little(nn.Module):
    """Embedding, one attention, a head: what the invariants need of a model. `fault` breaks one thing."""

    def __init__(self, fault: str = "") -> None:
        super().__init__()
        torch.manual_seed(0)
        self.fault = fault
        self.token_embedding = nn.Embedding(VOCAB, D_MODEL)
        self.positions = nn.Embedding(2 * TOKENS, D_MODEL)
        self.attention = MultiHeadAttention(D_MODEL, HEADS)
        self.head = nn.Linear(D_MODEL, VOCAB)
        nn.init.normal_(self.head.weight, std=3.0 if fault == "large weights" else 0.02)

    def forward(
        self,
        tokens: Tensor,
        mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        source: Tensor | None = None,
    ) -> Tensor:
        start = 0 if cache is None or self.fault == "position 0" else cache.length
        x = self.token_embedding(tokens) + self.positions.weight[start : start + tokens.shape[1]]
        if self.fault == "detached":
            x = x.detach()
        keys = None if self.fault == "padding ignored" else for_all_queries(mask)
        if source is not None:
            memory = None if self.fault == "memory not passed" else self.token_embedding(source)
            return self.head(x + self.attention(x, memory, keys))
        # Padding on the right is invisible to a causal model anyway: a leak needs queries that look both ways.
        causal = self.fault not in ("no look-ahead mask", "padding ignored")
        if self.fault == "inverted":
            keys, causal = ~causal_mask(tokens.shape[1]), False
        if self.fault == "blind":
            return self.head(self.attention(torch.zeros_like(x), mask=keys, causal=causal))
        return self.head(x + self.attention(x, mask=keys, causal=causal, cache=cache))

    def new_cache(self, batch: int, max_tokens: int) -> KeyValueCache:
        return KeyValueCache(batch, HEADS, max_tokens, D_MODEL // HEADS)


ROWS = torch.randint(VOCAB, (BATCH, TOKENS), generator=torch.Generator().manual_seed(1))
REAL = torch.arange(TOKENS) < LENGTHS[:, None]


def loss_of(model: nn.Module) -> Tensor:
    return next_token_loss(model(ROWS), ROWS)


def reported_loss(model: Little) -> float:
    if model.fault != "labels shifted twice":
        return loss_of(model).item()
    return functional.cross_entropy(model(ROWS)[:, :-2].flatten(0, 1), ROWS[:, 2:].flatten()).item()


CHECKS = {
    "causality": lambda model: check_causality(model, ROWS, vocab_size=VOCAB),
    "padding": lambda model: check_padding_invariance(model, ROWS, REAL, vocab_size=VOCAB),
    "source": lambda model: check_source_sensitivity(
        lambda source, target: model(target, source=source), ROWS.flip(1), ROWS, vocab_size=VOCAB
    ),
    "initial loss": lambda model: check_initial_loss(loss_of(model).item(), VOCAB),
    "reported loss": lambda model: check_reported_loss(reported_loss(model), model, ROWS),
    "cache": lambda model: check_cache(model, ROWS),
    "gradients": lambda model: check_gradients(model, loss_of(model)),
    "overfits": lambda model: check_overfits_one_batch(model, loss_of, below=0.4),
}


@pytest.mark.parametrize("check", CHECKS)
def test_invariants_hold_for_multi_head_attention(check: str):
    CHECKS[check](Little())


@pytest.mark.parametrize(
    ("check", "fault", "message"),
    [
        ("causality", "inverted", "reads the future. Is the mask inverted"),
        ("causality", "no look-ahead mask", "reads the future"),
        ("causality", "blind", "does not read its input"),
        ("padding", "padding ignored", "padding leaks"),
        ("source", "memory not passed", "the decoder does not see it"),
        ("initial loss", "large weights", "the initial weights are too large"),
        ("reported loss", "labels shifted twice", "labels are shifted twice"),
        ("cache", "position 0", "does the new token get its own position"),
        ("gradients", "detached", "no gradient reaches token_embedding.weight, positions.weight"),
        ("overfits", "blind", "not below 0.4"),
    ],
)
def test_invariants_go_red_when_it_is_broken(check: str, fault: str, message: str):
    with pytest.raises(InvariantError) as caught:
        CHECKS[check](Little(fault))
    assert message in str(caught.value)


def test_an_inverted_mask_passes_what_is_usually_looked_at():
    for check in ("initial loss", "reported loss", "gradients", "overfits"):
        CHECKS[check](Little("inverted"))


# From an average to attention


def test_each_step_equals_the_next(load_sprint):
    script = load_sprint(f"{FOLDER}/build_up.py")
    config = script.Config(tokens=5, d_model=8, heads=2, device="cpu")
    results = script.main(config)
    assert len(results.differences) == 10
    assert max(results.differences.values()) < 1e-5
    assert script.main(config) == results, "same seed, same results"


def test_attention_by_hand_on_two_tokens(load_sprint):
    script = load_sprint(f"{FOLDER}/build_up.py")
    query, key = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]]), torch.tensor([[[0.0, 5.0], [math.log(3), 7.0]]])
    value = torch.tensor([[[4.0, 0.0], [0.0, 8.0]]])
    # Token 1 scores 0 and ln 3: weights 1/4 and 3/4. Token 0 sees itself.
    expected = torch.tensor([[[4.0, 0.0], [1.0, 6.0]]])
    for attention in (script.attention_by_loop, script.attention_by_matrix):
        torch.testing.assert_close(attention(query, key, value), expected)
    assert script.average_by_loop(value).tolist() == [[[4.0, 0.0], [2.0, 4.0]]]


def test_attention_knows_a_set_of_keys_not_their_order(generator):
    query, key, value = (torch.randn(2, 3, 5, 4, generator=generator) for _ in range(3))
    order = torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(attend(query, key, value)[0], attend(query, key[:, :, order], value[:, :, order])[0])


# The scale


def test_variance_is_head_dim_and_saturation_takes_the_gradient(load_sprint):
    script = load_sprint(f"{FOLDER}/why_scale.py")
    config = script.Config(head_dims=(1, 16, 256), queries=400, runs=2, device="cpu")
    results = script.main(config)
    for head_dim, unscaled, scaled in zip(
        (1, 16, 256), results.unscaled.variance, results.scaled.variance, strict=True
    ):
        assert unscaled == pytest.approx([head_dim] * 2, rel=0.1)
        assert scaled == pytest.approx([1, 1], rel=0.1)
    assert min(results.scaled.entropy[2]) > 0.85 * results.uniform_entropy > 10 * max(results.unscaled.entropy[2])
    assert min(results.scaled.gradient_norm[2]) > 1.5 * max(results.unscaled.gradient_norm[2])
    assert max(results.scaled.gradient_norm[1]) < min(results.unscaled.gradient_norm[1]), "not yet at 16 features"
    assert results.scaled.frozen[2] == [0, 0]
    assert min(results.unscaled.frozen[2]) > 0.4
    assert results.difference_from_attend < 1e-6
    assert results.normal_entropy[0] == pytest.approx(math.log(64) - 0.5)
    assert script.main(config) == results, "same seed, same results"


def test_entropy_and_gradient_of_known_weights(load_sprint, generator):
    script = load_sprint(f"{FOLDER}/why_scale.py")
    assert script.softmax_entropy(torch.full((1, 8), 1 / 8)).item() == pytest.approx(math.log(8))
    assert script.softmax_entropy(torch.eye(4)).tolist() == [0, 0, 0, 0]
    certain = torch.zeros(3, 5)
    certain[:, 2] = 1e4
    assert script.gradient_norm(certain, generator) == 0


def test_three_words_by_hand(load_sprint):
    script = load_sprint(f"{FOLDER}/by_hand.py")
    results = script.main(script.Config())
    assert results.scaled == [0, 2, 1]
    assert results.mixed == pytest.approx(results.at_once) == pytest.approx(15.795, abs=1e-3)
    assert script.main(script.Config(query=(0.0, 0.0, 0.0, 0.0))).mixed == pytest.approx(20)


def test_twelve_lines_are_the_layer(load_sprint):
    self_attention = load_sprint(f"{FOLDER}/attention_study/twelve_lines.py").self_attention
    layer = MultiHeadAttention(D_MODEL, HEADS, bias=False)
    x = torch.randn(1, TOKENS, D_MODEL)
    matrices = [matrix.T for matrix in (*layer.qkv.weight.chunk(3), layer.output.weight)]
    torch.testing.assert_close(self_attention(x[0], *matrices, heads=HEADS), layer(x, causal=True)[0])


def test_heads_have_all_tokens_and_a_reshape_mixes_them(load_sprint):
    script = load_sprint(f"{FOLDER}/heads_and_back.py")
    results = script.main(script.Config(tokens=2, heads=2, head_dim=2))
    assert results.heads == [[[11, 12], [21, 22]], [[13, 14], [23, 24]]]
    assert results.reshaped == [[[11, 12], [13, 14]], [[21, 22], [23, 24]]]
    assert results.put_together


# Masks


def test_words_spread_their_weight_over_what_they_may_look_at(load_sprint):
    script = load_sprint(f"{FOLDER}/one_sentence.py")
    panels = script.main(script.Config(words=("a", "b"), padding=1, translation=("c",))).panels
    assert panels["padding"].weights == [[0.5, 0.5, 0.0]] * 3
    assert panels["causal"].weights == [[1, 0, 0], [0.5, 0.5, 0], pytest.approx([1 / 3] * 3)]
    assert panels["both"].weights == [[1, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0]]
    assert panels["cross-attention"].weights == [[0.5, 0.5, 0.0]]


def test_treatments_of_a_row_that_sees_nothing(load_sprint):
    script = load_sprint(f"{FOLDER}/masks.py")
    results = script.main(script.Config(device="cpu"))
    infinite, repaired, large, ours = results.treatments.values()
    assert (infinite.output, repaired.output, large.output, ours.output) == (
        "NaN", "zeros", "the mean of all values", "zeros",
    )  # fmt: skip
    assert [one.finite_gradient for one in (infinite, repaired, large, ours)] == [False, False, True, True]
    assert not infinite.finite_gradient_if_unused, "even a loss that leaves the row out is ruined"
    assert not repaired.finite_gradient_if_unused
    assert large.moved_by_hidden
    assert not ours.moved_by_hidden


def test_conventions_are_what_the_libraries_do(load_sprint):
    script = load_sprint(f"{FOLDER}/meaning_of_true.py")
    conventions = script.main(script.Config(device="cpu")).conventions
    may_look = [name for name, convention in conventions.items() if convention.true_means == "may look"]
    hidden = [name for name, convention in conventions.items() if convention.true_means == "hidden"]
    assert len(may_look) == 5
    assert all("shared" in name or "bool" in name or "transformers" in name or "eager" in name for name in may_look)
    assert len(hidden) == 4
    assert all("nn." in name or "need_weights" in name for name in hidden)
    assert conventions["scaled_dot_product_attention, float 1 and 0"].true_means.startswith("nothing")
    assert conventions["`shared/nn/attention.py`, mask"].all_hidden == "sees nothing"
    assert conventions["nn.MultiheadAttention, key_padding_mask"].all_hidden == "NaN"
    assert conventions["the same, attn_implementation=eager"].all_hidden == "looks at what is hidden"


# Heads


def test_two_heads_read_what_one_cannot(load_sprint):
    script = load_sprint(f"{FOLDER}/why_heads.py")
    config = script.Config(heads=(1, 2), hidden=64, vocab=8, tokens=6, steps=250, batch_size=32, seeds=1, device="cpu")
    results = script.main(config)
    one, two, wide = results.models["1 head"], results.models["2 heads"], results.models["1 head, hidden layer"]
    assert min(two.one_back[0], two.two_back[0]) > 0.95
    assert min(one.one_back[0], one.two_back[0]) < 0.85
    assert min(wide.one_back[0], wide.two_back[0]) > min(one.one_back[0], one.two_back[0])
    assert one.parameters == two.parameters < wide.parameters
    short = replace(config, steps=5)
    assert script.main(short) == script.main(short), "same seed, same results"


def test_targets_are_the_tokens_one_and_two_back(load_sprint):
    targets = load_sprint(f"{FOLDER}/attention_study/reader.py").targets
    assert targets(torch.tensor([[5, 6, 7, 8]])).tolist() == [[[6, 5], [7, 6]]]


def test_one_head_set_by_hand_names_both_tokens(load_sprint):
    script = load_sprint(f"{FOLDER}/one_head_by_hand.py")
    results = script.main(script.Config(couplings=(0.3, 1e-3), device="cpu"))
    assert results.one_back[1] == results.two_back[1] == 1.0
    assert max(results.one_back[0], results.two_back[0]) < 0.5, "too large a coupling is no solution"
    many = script.main(script.Config(couplings=(3e-4,), vocab=64, tokens=20, rows=500, device="cpu"))
    assert many.one_back == many.two_back == [1.0]


# Induction


def test_rows_repeat_a_pattern_behind_a_separator(load_sprint, generator):
    rows = load_sprint(f"{FOLDER}/attention_study/repeated_rows.py").repeated_rows
    batch = next(rows(8, 2, 4, 50, generator, torch.device("cpu")))
    assert batch.tokens.shape == (50, 10)
    assert sorted(set(batch.periods.flatten().tolist())) == [2, 3, 4]
    for row, period in zip(batch.tokens.tolist(), batch.periods.flatten().tolist(), strict=True):
        pattern = row[1 : period + 1]
        assert len(set(pattern)) == period
        assert 8 not in pattern
        assert row == [8, *pattern, 8, *pattern] + [8] * (8 - 2 * period)
    scores = load_sprint(f"{FOLDER}/attention_study/head_scores.py")
    _, first, second = scores.token_losses(scores.AttentionOnly(9, 10, 16, 2, 1), batch)
    assert first.sum(1).tolist() == second.sum(1).tolist() == batch.periods.flatten().tolist()
    # The target at place t is token t + 1: the second copy starts behind the second separator.
    assert [row.nonzero()[0].item() for row in second] == [period + 1 for period in batch.periods.flatten().tolist()]


def test_scores_recognise_perfect_heads(load_sprint, generator, monkeypatch):
    scores = load_sprint(f"{FOLDER}/attention_study/head_scores.py")
    rows = load_sprint(f"{FOLDER}/attention_study/repeated_rows.py").repeated_rows
    batch, width = next(rows(8, 2, 4, 5, generator, torch.device("cpu"))), 10
    maps = torch.zeros(1, 5, 2, width, width)
    for row, period in enumerate(batch.periods.flatten().tolist()):
        for query in range(width):
            maps[0, row, 0, query, max(query - 1, 0)] = 1.0
            maps[0, row, 1, query, max(query - period, 0)] = 1.0
    model = scores.AttentionOnly(9, 10, 16, 2, 1)
    monkeypatch.setattr(model, "forward", lambda tokens: (torch.zeros(*tokens.shape, 9), maps))
    curve = scores.measure(model, batch)
    assert curve.previous_token[0][0] == 1
    assert curve.prefix_matching[0][1] == 1
    assert curve.prefix_matching[0][0] == 0
    assert curve.previous_token[0][1] < 0.5


def test_positions_say_where_to_look_and_are_not_passed_on(load_sprint):
    attention_only = load_sprint(f"{FOLDER}/attention_study/attention_only.py")
    same = torch.full((1, 6), 3)
    for move_positions in (False, True):
        torch.manual_seed(0)
        logits = attention_only.AttentionOnly(9, 10, 8, 2, 2, move_positions)(same)[0]
        # Whatever places are looked at, the same values are found there.
        assert torch.allclose(logits[:, :1].expand_as(logits), logits, atol=1e-5) != move_positions


def test_two_layers_copy_and_one_does_not(load_sprint):
    script = load_sprint(f"{FOLDER}/induction.py")
    config = script.Config(
        vocab=8, shortest=3, longest=6, d_model=48, steps=250, learning_rate=5e-3, measure_every=125, seeds=1,
        device="cpu",
    )  # fmt: skip
    results = script.main(config)
    one, two = (results.runs[layers][0] for layers in ("1", "2"))
    assert two.second_copy < 0.2
    assert one.second_copy > 0.5
    assert two.first_copy > results.optimum_first_copy - 0.05, "nobody guesses better than the optimum"
    assert results.optimum_first_copy == pytest.approx(
        sum(sum(math.log(8 - i) for i in range(period)) for period in range(3, 7)) / 18
    )
    strongest = max(two.heads, key=lambda head: head.prefix_matching)
    assert strongest.layer == 1, "in the second layer"
    assert strongest.loss_without > two.second_copy + 0.1


def test_a_head_is_taken_away_and_the_model_stays(load_sprint, generator):
    scores = load_sprint(f"{FOLDER}/attention_study/head_scores.py")
    rows = load_sprint(f"{FOLDER}/attention_study/repeated_rows.py").repeated_rows
    model, batch = scores.AttentionOnly(9, 10, 8, 2, 1), next(rows(8, 2, 4, 5, generator, torch.device("cpu")))
    before, curve = model.layers[0].output.weight.clone(), scores.measure(model, batch)
    first, second = scores.heads_of(model, batch)
    assert torch.equal(model.layers[0].output.weight, before)
    assert [(head.layer, head.head) for head in (first, second)] == [(0, 0), (0, 1)]
    assert [first.prefix_matching, second.prefix_matching] == curve.prefix_matching[0]
    with torch.no_grad():
        model.layers[0].output.weight[:, 4:] = 0
    assert scores.measure(model, batch).second_copy == second.loss_without != first.loss_without


# The inverted mask


def test_the_inverted_mask_looks_better_and_the_invariants_name_it(load_sprint):
    script = load_sprint(f"{FOLDER}/inverted_mask.py")
    config = script.Config(
        layers=1, d_model=64, vocab_size=384, tokenizer_recipes=40, context=512, steps=20, batch_size=2,
        eval_every=10, validation_recipes=8, recipes=2, ngram_tokens=20_000, device="cpu",
    )  # fmt: skip
    results = script.main(config)
    right, inverted = results.models["right"], results.models["inverted"]
    assert set(right.invariants.values()) == {"holds"}
    assert {name for name, said in inverted.invariants.items() if said != "holds"} == {"causality", "cache"}
    assert "reads the future. Is the mask inverted" in inverted.invariants["causality"]


def test_inverting_changes_the_mask_and_no_weight(load_sprint):
    script = load_sprint(f"{FOLDER}/inverted_mask.py")
    config = script.Config(layers=1, d_model=16, context=8)
    right, inverted = (script.build(config, VOCAB, flag) for flag in (False, True))
    for name, parameter in right.named_parameters():
        assert torch.equal(parameter, inverted.get_parameter(name))
    check_causality(right, ROWS, vocab_size=VOCAB)
    with pytest.raises(InvariantError, match="reads the future"):
        check_causality(inverted, ROWS, vocab_size=VOCAB)
    changed = ROWS.clone()
    changed[:, 0] = (changed[:, 0] + 1) % VOCAB
    torch.testing.assert_close(inverted(changed)[:, 1:], inverted(ROWS)[:, 1:])


# Cost


def test_memory_is_quadratic_step_by_step_and_linear_fused(load_sprint):
    script = load_sprint(f"{FOLDER}/cost.py")
    results = script.main(script.Config(lengths=(128, 256, 512), fit_from=128, rounds=2, heads=2, device="cpu"))
    assert results.largest_difference < 1e-5
    for name in ("forward", "forward + backward"):
        assert results.costs[f"explicit, {name}"].memory_slope == pytest.approx(2, abs=0.15)
        assert results.costs[f"fused, {name}"].memory_slope < 1.3
        assert results.memory_ratio[name][-1] > 4
    for scores, peak in zip(results.score_megabytes, results.costs["explicit, forward"].peak_megabytes, strict=True):
        assert peak > 2 * scores


def test_the_peak_is_what_is_in_use_at_one_time(load_sprint, monkeypatch):
    script = load_sprint(f"{FOLDER}/cost.py")

    def two_then_one(query: Tensor, _key: Tensor, _value: Tensor) -> Tensor:
        torch.zeros(2, 1000)  # is freed before the next one is made
        return query.new_zeros(1500)

    monkeypatch.setitem(script.PATHS, "explicit", two_then_one)
    assert script.peak_bytes("explicit", [torch.zeros(1)] * 3, backward=False) == pytest.approx(8000, abs=100)
    slope = load_sprint(f"{FOLDER}/attention_study/power_law.py").slope
    assert slope([10, 100, 1000], [3 * n**1.5 for n in (10, 100, 1000)]) == pytest.approx(1.5)


# The cache


def test_only_the_last_row_of_scores_is_new(load_sprint):
    script = load_sprint(f"{FOLDER}/what_is_computed_again.py")
    results = script.main(script.Config(words=("a", "b", "c"), given=1))
    assert results.scores[-1] == [["again", "hidden", "hidden"], ["again", "again", "hidden"], ["new"] * 3]
    assert (results.scores_without, results.scores_with) == (1 + 3 + 6, 1 + 2 + 3)
    assert (results.keys_without, results.keys_with) == (1 + 2 + 3, 3)


def test_the_cache_changes_the_cost_and_not_the_result(load_sprint):
    script = load_sprint(f"{FOLDER}/kv_cache.py")
    config = script.Config(
        lengths=(16, 32, 64), fit_from=16, layers=2, d_model=32, vocab=50, rounds=2, new_tokens=12, device="cpu"
    )
    results = script.main(config)
    assert results.logit_difference < 1e-4
    assert results.same_greedy_tokens == 12
    assert results.cache_bytes == results.cache_bytes_by_formula == [2 * 2 * (n + 1) * 32 * 4 for n in (16, 32, 64)]
    assert results.without_cache.operations_slope > 0.9
    assert results.with_cache.operations_slope < 0.4
    assert results.without_cache.operations[-1] > 50 * results.with_cache.operations[-1]


# Fewer key-value heads


@pytest.mark.parametrize("key_value_heads", [4, 2, 1])
def test_grouped_attention_is_pytorchs(load_sprint, generator, key_value_heads: int):
    script = load_sprint(f"{FOLDER}/attention_study/grouped_heads.py")
    results = []
    ways = {
        "ours": partial(script.grouped_attend, mask=causal_mask(5)),
        "simple": partial(script.repeated_attend, mask=causal_mask(5)),
        "theirs": partial(functional.scaled_dot_product_attention, is_causal=True, enable_gqa=True),
    }
    for way in ways.values():
        generator.manual_seed(0)
        query = torch.randn(2, 4, 5, 8, generator=generator, requires_grad=True)
        key, value = (torch.randn(2, key_value_heads, 5, 8, generator=generator, requires_grad=True) for _ in "kv")
        output = way(query, key, value)
        results.append([output, *torch.autograd.grad(output.square().mean(), (query, key, value))])
    for ours, simple, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(simple, theirs, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("key_value_heads", [4, 2, 1])
def test_the_layer_is_llamas_without_rotation(load_sprint, generator, key_value_heads: int):
    from transformers.models.llama.modeling_llama import LlamaAttention, LlamaConfig

    ours = load_sprint(f"{FOLDER}/attention_study/grouped_heads.py").OneProductAttention(32, 4, key_value_heads)
    config = LlamaConfig(hidden_size=32, num_attention_heads=4, num_key_value_heads=key_value_heads)
    theirs, x = LlamaAttention(config, layer_idx=0), torch.randn(2, 6, 32, generator=generator)
    names = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "o_proj"}
    theirs.load_state_dict({f"{names[n.split('.')[0]]}.weight": value for n, value in ours.state_dict().items()})
    hidden = torch.zeros(6, 6).masked_fill(~causal_mask(6), -math.inf)[None, None]
    still = (torch.ones(1, 6, 8), torch.zeros(1, 6, 8))  # cosines and sines of no rotation
    torch.testing.assert_close(ours(x), theirs(x, still, hidden)[0], atol=1e-5, rtol=0)
    cache = KeyValueCache(2, key_value_heads, 6, 8)
    torch.testing.assert_close(
        torch.cat([ours(part, cache=cache) for part in x.split([3, 1, 2], dim=1)], dim=1), ours(x), atol=1e-5, rtol=0
    )


def test_averaging_equal_heads_changes_nothing(load_sprint, generator):
    script = load_sprint(f"{FOLDER}/attention_study/grouped_heads.py")
    layer, x = script.OneProductAttention(16, 4, 4), torch.randn(2, 5, 16, generator=generator)
    with torch.no_grad():
        for part in (layer.key, layer.value):
            groups = part.weight.unflatten(0, (2, 2, 4))
            groups[:, 1] = groups[:, 0]
    before = layer(x)
    layer.average_heads(2)
    assert layer.key.weight.shape == layer.value.weight.shape == (8, 16)
    torch.testing.assert_close(layer(x), before)
    layer.average_heads(1)
    assert not torch.allclose(layer(x), before, atol=1e-3)


def test_the_cache_shrinks_with_the_heads(load_sprint):
    script = load_sprint(f"{FOLDER}/grouped_query.py")
    results = script.main(
        script.Config(d_model=32, heads=4, key_value_heads=(4, 2, 1), batch=2, cached=64, rounds=2, device="cpu")
    )
    assert [layer.cache_bytes_per_token for layer in results.layers.values()] == [256, 128, 64]
    assert max(layer.difference_from_library for layer in results.layers.values()) < 1e-5
    parts = load_sprint(f"{FOLDER}/attention_study/grouped_heads.py")
    with pytest.raises(ValueError, match="heads=4, key_value_heads=3"):
        parts.OneProductAttention(32, 4, 3)
    with pytest.raises(ValueError, match="got 4 and 3"):
        parts.grouped_attend(torch.zeros(1, 4, 2, 8), torch.zeros(1, 3, 2, 8), torch.zeros(1, 3, 2, 8))


def test_averaged_heads_lose_and_a_short_training_repairs(load_sprint):
    script = load_sprint(f"{FOLDER}/fewer_key_value_heads.py")
    config = script.Config(
        key_value_heads=(4, 1),
        d_model=32,
        vocab=8,
        longest=4,
        steps=150,
        repair_steps=40,
        batch_size=16,
        seeds=1,
        device="cpu",
    )
    results = script.main(config)
    ordinary, multi_query = results.by_heads.values()
    assert ordinary.averaged == ordinary.from_scratch, "averages of single heads"
    assert multi_query.averaged[0] > ordinary.from_scratch[0] + 0.05
    assert multi_query.repaired[0] < multi_query.from_scratch_briefly[0] < multi_query.averaged[0]
    short = replace(config, steps=3, repair_steps=2)
    assert script.main(short) == script.main(short), "same seed, same results"
