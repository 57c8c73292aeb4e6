"""What sprint 7 works out by hand, in notes and in the answers to its exercises; and the scripts that draw it."""

import math
import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from lesson_texts import lesson_texts
from torch import nn
from torch.nn import functional

from shared.checks.invariants import InvariantError
from shared.checks.sanity import check_initial_loss
from shared.nn.attention import MultiHeadAttention, attend
from shared.nn.blocks import DecoderBlock, EncoderBlock, FeedForward

FOLDER = "07_transformer_block"
SPRINT = Path(__file__).parents[2] / "sprints" / FOLDER
PAGE, note = lesson_texts("07_transformer_block", minus="-")


def shown(numbers, places: int = 3) -> str:
    return f"({', '.join(f'{number:.{places}f}' for number in numbers)})"


@pytest.fixture
def script(load_sprint):
    return lambda name: load_sprint(f"{FOLDER}/{name}.py")


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("block_in_numbers", "--first 2 2", "equal features have no variance to divide by; got --first 2 2"),
        ("block_in_shapes", "--heads 3", "got 3 heads and d_model 8"),
        ("cross_attention", "--hidden 3", "--hidden: must be less than or equal to 2; got 3"),
        ("layer_norm_by_hand", "--token 1 2 3", "--token"),
        ("left_of_the_embedding", "--parts 0", "--parts: must be greater than or equal to 1; got 0"),
        ("who_shares_a_mean", "--texts 1", "--texts: must be greater than or equal to 2; got 1"),
        ("residual_stream", "--recipes 0", "--recipes: must be greater than or equal to 1; got 0"),
    ],
)
def test_a_bad_command_line_is_refused_in_a_sentence(refusal, name, words, sentence):
    assert sentence in refusal(f"{FOLDER}/{name}.py", words)


# Notes


def test_note_1_a_block_in_numbers(script):
    numbers = script("block_in_numbers")
    results = numbers.main(numbers.Config())
    assert results.difference < 1e-9, "the same weights in EncoderBlock give the same"
    table = re.findall(
        r"^\| [^|]+ \| (\([^|]+\)) \| (\([^|]+\)) \|", (SPRINT / "notes/01_a_block.md").read_text(), re.M
    )
    ours = [tuple(shown(row, 0) for row in rows) for rows in results.steps.values()]
    assert [tuple(cell.replace("−", "-") for cell in row) for row in table] == [
        tuple(cell.replace("-0", "0") for cell in row) for row in ours
    ]
    assert len(numbers.plot(results).axes) == 1


def test_note_1_shapes_are_those_of_the_drawing(script):
    shapes = script("block_in_shapes")
    results = shapes.main(shapes.Config())
    outer = {name: shape for name, shape in results.shapes.items() if shape == [2, 5, 8]}
    assert {"x", "attention_norm", "attention", "feed_forward_norm", "feed_forward", "output"} == set(outer)
    assert results.shapes["weights"] == [2, 2, 5, 5]
    assert results.shapes["feed_forward.expand"] == [2, 5, 32]
    assert sum(results.parameters.values()) == sum(p.numel() for p in EncoderBlock(8, 2).parameters())
    assert len(shapes.plot(results).axes) == 1


def test_note_1_an_addition_in_place_ends_in_the_quoted_error():
    block = EncoderBlock(4, 1)
    x = torch.randn(1, 3, 4, requires_grad=True) * 1
    x += block.attention(block.attention_norm(x))
    with pytest.raises(
        RuntimeError, match="one of the variables needed for gradient computation has been modified by an"
    ):
        x.sum().backward()


def test_note_2_averages_of_averages_and_slopes(script):
    average = torch.tensor([[1.0, 0, 0], [0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]]).double()
    without = with_it = torch.tensor([1.0, 4, 7]).double()
    for _ in range(3):
        without, with_it = average @ without, with_it + average @ with_it
        row = [", ".join(f"{number:.6g}" for number in numbers) for numbers in (without, with_it)]
        assert f"| {row[0]} | {row[1]} |" in note(2)
    share = script("residual").difference_of_tokens
    first, last = torch.tensor([1.0, 4, 7]).double(), [without, with_it]
    shares = [f"{share(tokens[None, :, None]):.2f}" for tokens in (first, *last)]
    assert shares == ["0.27", "0.05", "0.17"]
    assert f"18 / 66 = {shares[0]} of" in note(2)
    assert f"it is {shares[1]} without additions and {shares[2]} with them" in note(2)
    for number in (f"= {1.1**10:.1f}$", f"= {0.9**10:.2f}$", f"= {2**10:,}"):
        assert number in note(2)
    left, right = torch.randn(2, 4, 4).double()
    eye = torch.eye(4).double()
    torch.testing.assert_close((eye + left) @ (eye + right), eye + left + right + left @ right)


def test_note_2_the_stream_is_the_sum_of_what_was_added(script):
    stream = script("residual_stream")
    results = stream.main(stream.Config(recipes=2, device="cpu"))
    assert len(results.places) == 9
    assert results.difference < 1e-3
    assert results.losses[-1] < 1 < results.losses[0]
    assert stream.main(stream.Config(recipes=2, device="cpu")) == results, "same seed, same results"
    assert len(stream.plot(results).axes) == 2


def test_note_2_without_norms_the_plain_formula_gives_finite_gradients(script):
    residual = script("residual")
    lengths, _ = residual.measure(residual.Config(), "no norm", 64, 4)
    assert 1e12 < lengths[0] < 1e18, "a fused kernel gives NaN or 1e30 here, on some processors"


def test_note_3_layer_norm_forwards_and_backwards(script):
    by_hand = script("layer_norm_by_hand")
    results = by_hand.main(by_hand.Config())
    assert (results.mean, results.variance, results.centred) == (4, 9, [5, -3, -1, -1])
    assert shown(results.normalised).replace(".000", "") in note(3)
    assert f"**{shown(results.gradient)}**" in note(3)
    assert (results.mean_upstream, f"{results.mean_product:.3f}") == (1, "1.667")
    between = [3 * number for number in results.gradient]
    assert shown(between) in note(3)
    assert results.difference < 1e-10
    # The part along n that is left is epsilon / (variance + epsilon) of what the direct way alone would leave.
    x, h = torch.randn(6).double().requires_grad_(), torch.randn(6).double()
    n = functional.layer_norm(x, (6,), eps=0.5)
    (gradient,) = torch.autograd.grad(n @ h, x)
    variance = x.var(correction=0)
    direct = (h / (variance + 0.5).sqrt()) @ n
    torch.testing.assert_close(gradient @ n, direct * 0.5 / (variance + 0.5))
    assert abs(gradient.sum().item()) < 1e-12
    assert len(by_hand.plot(results).axes) == 1


def test_note_3_a_step_at_a_right_angle_makes_a_token_longer():
    x = torch.tensor([9.0, 1, 3, 3]).double().requires_grad_()
    h = torch.tensor([4.0, 0, 0, 0]).double()
    (gradient,) = torch.autograd.grad(functional.layer_norm(x, (4,), eps=0.0) @ h, x)
    assert abs((gradient @ (x - x.mean())).item()) < 1e-12
    assert (x - 0.5 * gradient).var(correction=0) > x.var(correction=0)


def test_note_4_neurons_and_bends(script):
    expand, contract = torch.eye(2), torch.tensor([[0.0, 5], [2, 0]])
    hidden = (torch.tensor([0.5, -2]) @ expand).relu()
    assert (hidden @ contract).tolist() == [0, 2.5]
    assert shown(functional.gelu(torch.tensor([-1.0, -1])) @ contract, 2) in note(4)
    assert f"{sum(p.numel() for p in FeedForward(8, 32).parameters())}." in note(4)
    activations = script("activations")
    results = activations.main(activations.Config())
    assert max(results.differences.values()) < 1e-10, "the formulas are PyTorch's"
    assert results.furthest < 0.0005
    assert f"GELU(1) = {results.table['gelu'][4]:.3f}" in note(4)
    assert f"GELU(-1) = {results.table['gelu'][2]:.3f}" in note(4)
    assert round(results.lowest[0], 2) == -0.75
    at_zero = min(range(len(results.places)), key=lambda index: abs(results.places[index]))
    assert results.slopes["gelu"][at_zero] == pytest.approx(0.5)
    signs = [slope > 0 for slope in results.slopes["gelu"]]
    assert sum(a != b for a, b in pairwise(signs)) == 1, "its slope is 0 at one place"
    assert len(activations.plot(results).axes) == 2


def test_note_5_what_becomes_of_the_embedding(script):
    left = script("left_of_the_embedding")
    results = left.main(left.Config(parts=24))
    assert results.embedding["post"][-1] == pytest.approx(1 / 4096)
    assert results.size["pre"][-1] == pytest.approx(5, rel=0.02)
    assert results.size["post"][-1] == pytest.approx(1, rel=0.02)
    for kind in ("pre", "post"):
        assert results.share_drawn[kind] == pytest.approx(results.share[kind], abs=0.02), "drawn as calculated"
    assert left.main(left.Config(parts=24)) == results, "same seed, same results"
    assert len(left.plot(results).axes) == 2
    assert f"1/{2**12}" in note(5)
    assert f"its size {math.sqrt(1 + 24):.0f}." in note(5)
    assert f"{math.sqrt(24):.1f}" in note(5)
    assert f"{math.sqrt(101):.2f}" in note(5)


@pytest.mark.parametrize("scale", [1.0, 0.02])
def test_note_5_a_missing_last_norm_shows_in_the_first_loss_unless_the_head_is_small(load_sprint, scale: float):
    stacks = load_sprint(f"{FOLDER}/block_study/deep_stacks.py")
    torch.manual_seed(0)
    model = stacks.PredictTheFirst("pre", 12, vocab=64, tokens=32, d_model=64, heads=4)
    with torch.no_grad():
        model.head.weight.mul_(scale)
    rows = next(stacks.random_rows(64, 16, 32, torch.Generator().manual_seed(0)))

    def first_loss() -> float:
        loss, places = stacks.first_token_loss(model, rows)
        return loss.item() / places

    check_initial_loss(first_loss(), 64)
    model.stack.norm = nn.Identity()
    if scale < 1:
        check_initial_loss(first_loss(), 64)
    else:
        with pytest.raises(InvariantError, match="more than guessing"):
            check_initial_loss(first_loss(), 64)


def test_note_6_cross_attention(script):
    cross = script("cross_attention")
    results = cross.main(cross.Config())
    for text in (shown(results.mixed[0], 2), shown(results.output[0], 2), shown(results.output[1], 2)):
        assert text in note(6)
    assert (f"{results.weights[0][0]:.3f}", f"{results.weights[0][1]:.3f}") == ("0.944", "0.056")
    score = 4 / math.sqrt(2)
    assert f"e^{score:.3f} = {math.exp(score):.2f}" in note(6)
    visible = cross.main(cross.Config(hidden=0))
    assert f"{1 - visible.weights[0][2]:.5f}" == "0.00005"
    assert f"{visible.scores[0][2]:.1f}" in note(6)
    assert len(cross.plot(results).axes) == 1


def test_note_6_weights_of_both_attentions():
    x, memory, layer = torch.randn(1, 12, 64), torch.randn(1, 20, 64), MultiHeadAttention(64, 8)
    for keys, shape in ((None, "(8, 12, 12)"), (memory, "(8, 12, 20)")):
        weights = attend(*layer.project(x, keys))[1]
        assert str(tuple(weights[0].shape)) == shape
        assert shape in note(6)


def test_note_8_costs():
    block = EncoderBlock(768, 12)
    parts = {"attention": "2,362,368", "feed_forward": "4,722,432"}
    for name, count in parts.items():
        assert f"{sum(p.numel() for p in block.get_submodule(name).parameters()):,}" == count
        assert count in note(8)
    assert f"{sum(p.numel() for p in block.parameters()):,}" == "7,087,872"
    projections, scores, feed_forward = 8 * 768**2, 4 * 1024 * 768, 16 * 768**2
    for count in (projections, scores, feed_forward):
        assert f"{count / 1e6:.1f}" in note(8)
    assert f"{(projections + scores) / (projections + scores + feed_forward):.0%}".replace("%", " %") in note(8)
    assert f"{12 * (projections + scores + feed_forward) / 1e6:.0f} million" in note(8)
    assert f"{2 * 768 * 50257 / 1e6:.0f} million" in note(8)


def test_note_9_selectivity(load_sprint):
    selectivity = load_sprint(f"{FOLDER}/block_study/neuron_reading.py").selectivity
    for order, written in (([1, 0, 1, 0, 0], "0.722"), ([0, 1, 1, 0], "0.167")):
        activations = torch.arange(len(order), 0, -1.0)[:, None]
        assert f"{selectivity(activations, torch.tensor(order), 2)[0, 1]:.3f}" == written
        assert written in note(9)


def test_note_10_who_shares_a_mean(script):
    shares = script("who_shares_a_mean")
    results = shares.main(shares.Config())
    layer, batch = (torch.tensor(results.moves[name]) for name in ("layer norm", "batch norm"))
    assert layer.sum() == 4
    assert layer[0, 0].all(), "all features of its own token"
    assert batch.sum() == 6
    assert batch[:, :, 1].all(), "one feature of all tokens"
    assert len(shares.plot(results).axes) == 1


def test_note_10_the_last_token_moves_the_first():
    for last, written in ((6.0, "-0.93"), (9.0, "-0.84")):
        feature = torch.tensor([1, 2, last])
        normalised = (feature - feature.mean()) / feature.var(correction=0).sqrt()
        assert f"{normalised[0]:.2f}" == written
        assert written in note(10)


def test_note_11_the_loss_of_a_guess():
    assert f"{math.log(11):.3f}" in note(11)


# Exercises


def test_a_block_by_hand(script):
    numbers = script("block_in_numbers")
    steps = numbers.main(numbers.Config(first=(1.0, 5.0), second=(6.0, 2.0))).steps
    written = {"x + attention": "(0, 6) and (6, 2)", "hidden": "(0, 1) and (1, 0)", "output": "(2, 6) and (6, 7)"}
    for name, text in written.items():
        assert " and ".join(shown(row, 0).replace("-0", "0") for row in steps[name]) == text
        assert text in PAGE


def test_layer_norm_both_ways(script):
    by_hand = script("layer_norm_by_hand")
    results = by_hand.main(by_hand.Config(token=(1.0, 1.0, 5.0, 9.0), upstream=(0.0, 0.0, 0.0, 4.0)))
    page = PAGE.replace("−", "-")
    for numbers in (results.normalised, results.gradient, [math.sqrt(11) * g for g in results.gradient]):
        assert shown(numbers) in page
    assert f"{results.mean_product:.3f}" == "1.508"


def test_paths():
    assert f"{2**24:,}" in PAGE


def test_the_size_of_a_block():
    block = DecoderBlock(512, 8, 2048)
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in block.named_children()}
    attentions = sizes["self_attention"] + sizes["cross_attention"]
    total = sum(sizes.values())
    for count in (sizes["self_attention"], attentions, sizes["feed_forward"], total):
        assert f"{count:,}" in PAGE
    assert f"{attentions / total:.1%}".replace("%", " %") in PAGE
