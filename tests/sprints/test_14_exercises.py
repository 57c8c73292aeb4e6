"""The numbers that the notes and exercises of sprint 14 work out by hand."""

import math
import statistics
from collections import Counter

import pytest
import torch
from lesson_texts import lesson_texts
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

PAGE, note = lesson_texts("14_quantization", minus="-")


def grid(x: float, low: float, high: float, bits: int) -> tuple[int, float]:
    """Return the integer and the number that comes back, in whole decimal arithmetic where ties matter."""
    step = round((high - low) / (2**bits - 1), 10)
    zero = round(-low / step)
    integer = min(max(round(round(x / step, 6)) + zero, 0), 2**bits - 1)
    return integer, round((integer - zero) * step, 6)


# Notes


def test_note_1_a_grid_of_three_bits():
    for number in (-0.5, -0.1, 0.2, 0.6, 1.25):
        integer, back = grid(number, -0.5, 1.25, 3)
        steps, off = round(number / 0.25, 6), round(back - number, 6)
        assert f"| {number:g} | {steps:g} | {round(steps)} | {integer} | {back:g} | {off:g} |" in note(1)
    assert grid(2.0, -0.5, 1.25, 3) == (7, 1.25)
    assert "| 2.0 | 8 | 8 | 10, there is none: 7 | 1.25 | -0.75 |" in note(1)
    assert f"{10 * math.log10(4):.2f} dB" in note(1)
    step, integer = 2 * 3 / 15, round(1.5 / 0.4)
    assert f"2 · 3 / 15 = {step:g}. 1.5 / {step:g} = {1.5 / step:g}, so the integer is {integer}, which" in note(1)
    assert f"comes back as {integer * step:g}" in note(1)
    assert f"4.5 / 15 = {4.5 / 15:g}" in note(1)


def test_note_1_rounding_at_random_has_twice_the_mean_square():
    fraction = (torch.arange(10_000).double() + 0.5) / 10_000
    nearest = torch.minimum(fraction, 1 - fraction).square().mean().item()
    at_random = (fraction * (1 - fraction)).mean().item()
    assert math.isclose(nearest, 1 / 12, rel_tol=1e-4)
    assert math.isclose(at_random, 1 / 6, rel_tol=1e-4)


def test_note_2_an_outlier_and_two_ranges():
    numbers = torch.tensor([1, -1, 0.5, -0.5, 14])
    errors = {}
    for largest in (14, 3.5):
        step = 2 * largest / 7
        back = (numbers / step).round().clamp(-4, 3) * step
        errors[largest] = (back - numbers).square().sum().item()
    assert errors == {14: 6.5, 3.5: 121.5}
    assert "**6.5**" in note(2)
    assert "**121.5**" in note(2)


def test_note_3_a_tenth_in_two_formats():
    for kind, digits, integer, shown in ((torch.float16, 10, 614, "0.09998"), (torch.bfloat16, 7, 77, "0.10010")):
        value = torch.tensor(0.1, dtype=kind).item()
        assert value == 0.0625 * (1 + integer / 2**digits)
        assert f"{value:.5f}" == shown
        assert shown in note(3)
    assert torch.tensor(257.0).bfloat16().item() == 256
    half = torch.tensor(0.5).bfloat16()
    assert half + 0.001 == half, "0.001 is less than half a spacing"
    assert f"2⁻⁸ = {2.0**-8:.4f}" in note(3)
    chance = 0.0001 * 128
    assert f"{100 * chance:.2f} %" in note(3)
    spread = math.sqrt(1000 * chance * (1 - chance)) / 128
    assert f"by about {1000 * chance / 128:.1f}, as it should be, give or take about {spread:.2f}" in note(3)


def test_note_3_where_float16_ends():
    assert f"it ends at {torch.finfo(torch.float16).max:,.0f}, its smallest number is 2⁻²⁴" in note(3)
    ends = torch.tensor([2.0**-24, 1.01 * 2.0**-25, 2.0**-25]).half()
    assert ends.tolist() == [2.0**-24, 2.0**-24, 0], "below half of the smallest number everything becomes 0"


def test_note_4_what_scales_cost():
    assert f"a row of 768 weights that is {16 / 768:.2f} bits a weight" in note(4)
    assert "4 + 16/16 = 5 bits" in note(4)


def test_note_5_layers_of_two_models():
    with torch.device("meta"):  # sizes without numbers
        gpt2 = GPT2LMHeadModel(GPT2Config())
        # SmolLM2: 30 blocks, and a small width, which changes no count.
        llama = LlamaForCausalLM(LlamaConfig(num_hidden_layers=30, hidden_size=64, intermediate_size=64))
    found = Counter(type(module).__name__ for module in gpt2.modules())
    assert f"**{found['Linear']} of {found['Linear'] + found['Conv1D']}**" in note(5)
    linear = sum(isinstance(module, nn.Linear) for module in llama.modules())
    assert f"30 · 7 + 1 = {linear}" in note(5)


def test_note_6_a_product_of_integers():
    x, w = (0.5, -0.25, 1.5), (0.2, -0.5, 0.9)
    s_w, s_x = 2 * 0.9 / 255, 1.75 / 255
    q_w = [min(round(weight / s_w), 127) for weight in w]
    zero = round(0.25 / s_x)
    q_x = [round(number / s_x) + zero for number in x]
    assert (q_w, zero, q_x) == ([28, -71, 127], 36, [109, 0, 255])
    total = sum(a * b for a, b in zip(q_x, q_w, strict=True))
    correction = zero * sum(q_w)
    assert f"{total:,}" in note(6)
    assert f"{correction:,}" in note(6)
    assert f"{total - correction:,}" in note(6)
    assert f"**{(total - correction) * s_x * s_w:.3f}**" in note(6)
    assert f"{total * s_x * s_w:.3f} instead of" in note(6)
    assert f"{2 * 255 * 127:,}" in note(6)
    assert f"{2 * 127 * 127:,}" in note(6)
    exact = sum(a * b for a, b in zip(x, w, strict=True))
    assert f"**{exact:.3f}**" in note(6)


def test_note_7_one_token_spoils_a_grid():
    tokens = torch.tensor([[0.5, -0.3, 1000.0], [0.9, -1.2, 0.4], [-0.7, 0.2, 1.1], [1.5, -0.8, 0.6]])
    step = ((tokens.max() - tokens.min()) / 127).item()
    assert f"**{step:.1f}**" in note(7)
    assert (tokens / step).round().count_nonzero() == 1, "all but the huge one become 0"
    assert f"{2.1 / 127:.4f}" in note(7)
    assert f"{(tokens.max() - tokens.min()).item() / 255:.1f}" in note(7)


def test_note_7_smoothing_changes_nothing_and_evens_out_the_largest():
    generator = torch.Generator().manual_seed(0)
    x, w = torch.randn(9, 5, generator=generator).double(), torch.randn(4, 5, generator=generator).double()
    x[:, 2] *= 100
    a, b = x.abs().amax(0), w.abs().amax(0)
    t = (a / b).sqrt()
    torch.testing.assert_close((x / t) @ (w * t).T, x @ w.T)
    torch.testing.assert_close((x / t).abs().amax(0), (a * b).sqrt())
    torch.testing.assert_close((w * t).abs().amax(0), (a * b).sqrt())


def test_note_8_where_the_bytes_go():
    table, blocks, rest = 50_257 * 768, 84_934_656, 907_776
    assert table + blocks + rest == 124_439_808
    int8_blocks, int8_head = (blocks + 16 * 82_944) / 1e6, (table + 16 * 50_257) / 1e6
    sums = {
        "283.7": int8_blocks + int8_head + 4 * (table + rest) / 1e6,
        "168.3": int8_blocks + int8_head + (table + 8 * 50_257 + 4 * rest) / 1e6,
        "129.3": int8_blocks + int8_head + 4 * rest / 1e6,
    }
    for shown, megabytes in sums.items():
        assert f"{megabytes:.1f}" == shown
        assert shown in note(8)
    assert f"{100 * sums['283.7'] / (4 * 124.439808):.0f} %" in note(8)
    assert f"{table / 124_439_808:.0%}".replace("%", " %") in note(8)


def test_note_9_a_limit_by_memory():
    gigabytes = 4 * (84_934_656 + 50_257 * 768) / 1e9
    assert f"{1000 * gigabytes:.0f} MB" in note(9)
    assert f"**{1000 * gigabytes / 30:.1f} ms**" in note(9)
    assert f"**{30 / gigabytes:.0f} tokens**" in note(9)
    assert f"{1000 * gigabytes / 4 / 30:.1f} ms, {30 / (gigabytes / 4):.0f} tokens" in note(9)
    assert f"{2 / 0.5625:.1f}" in note(9)
    assert f"{50 / (3 * 0.5625):.0f} tokens" in note(9)
    assert f"16 of 23 ms, halving it leaves {23 - 16 / 2:.0f} ms, which is {23 / 15:.1f} times as fast" in note(9)


def test_note_10_a_ratio_in_turns():
    a, b = [20, 40, 22, 21, 60], [10, 19, 11, 12, 28]
    ratios = [one / other for one, other in zip(a, b, strict=True)]
    assert [f"{ratio:.3g}" for ratio in ratios] == ["2", "2.11", "2", "1.75", "2.14"]
    assert statistics.median(ratios) == 2
    assert (statistics.mean(a), statistics.mean(b)) == (32.6, 16)
    assert f"{statistics.mean(a) / statistics.mean(b):.2f}" in note(10)
    drawn = [ratios[turn - 1] for turn in (2, 2, 3, 5, 5)]
    assert f"and the median {statistics.median(drawn):.1f}." in note(10)


# Exercises on paper


def test_a_grid_on_paper():
    for number, words in ((0.5, "so the integer is"), (-0.7, "clamped to"), (3.0, "clamped to")):
        integer, back = grid(number, -0.6, 2.4, 4)
        assert f"{words} {integer}{' and' if number == 0.5 else ','} the number {back:g}" in PAGE


def test_a_model_in_memory():
    table = 32_000 * 2048 / 1e6
    bfloat16, int4 = 2 * (1100 + table), 1100 * (0.5 + 4 / 32) + 2 * table
    assert f"{table:.1f} million" in PAGE
    assert f"{bfloat16:,.0f} MB" in PAGE
    assert f"{int4:.0f} MB" in PAGE
    assert f"{40_000 / bfloat16:.1f} and" in PAGE
    assert f"{40_000 / int4:.1f} tokens" in PAGE


def test_which_part_of_the_error():
    assert f"{2 * 20 * math.log10(2):.2f} dB" in PAGE
    assert f"{20 * math.log10(255 / 63):.2f} dB" in PAGE


# The drawings


def test_drawings_show_what_the_notes_say(load_sprint):
    line = load_sprint("14_quantization/number_line.py")
    affine = line.main(line.Config()).lines["affine"]
    assert (affine.scale, affine.zero_point, affine.integers) == (0.25, 2, [0, 2, 3, 4, 6, 7, 7])
    shares = load_sprint("14_quantization/who_shares_a_grid.py")
    found = shares.main(shares.Config())
    assert found.rounded["one grid"][0] == [0, 0, 0, 0]
    assert [f"{number:.2f}" for number in found.rounded["a grid for each row"][0]] == ["0.32", "-0.21", "0.11", "0.37"]
    assert [f"{number:.1f}" for number in found.rounded["a grid for each pair"][1]] == ["5.6", "-4.0", "2.4", "2.8"]
    ways = load_sprint("14_quantization/three_ways.py")
    results = ways.main(ways.Config())
    assert (results.weight_integers, results.dynamic_integers) == ([28, -71, 127], [109, 0, 255])
    assert (results.product_of_integers, results.correction) == (35_437, 3_024)
    assert f"about **{results.outputs['static']:.2f}**" in note(6)
    assert results.outputs["dynamic"] == pytest.approx(results.exact, abs=0.01)
    wide = ways.main(ways.Config(seen=1.5))
    assert wide.outputs["static"] == pytest.approx(wide.outputs["dynamic"])
    bits = load_sprint("14_quantization/bits_of_a_number.py")
    tenth = bits.main(bits.Config()).formats
    assert (tenth["float16"].power, tenth["float16"].fraction, tenth["bfloat16"].fraction) == (-4, 614, 77)
    assert tenth["float32"].exponent == tenth["bfloat16"].exponent
    assert bits.main(bits.Config(number=1e5)).formats["float16"].value is None
    for script, outcome in ((line, line.main(line.Config(bits=5))), (shares, found), (ways, results)):
        assert script.plot(outcome).axes
