"""What the notes of sprint 21 on methods on weights work out by hand, and their scripts at a tiny size."""

from pathlib import Path

import pytest
import torch
from lesson_texts import lesson_texts

SPRINT = "21_adapters_and_prompts"
_, note = lesson_texts(SPRINT)


def test_notes_and_scripts_by_hand(load_sprint):
    bottleneck = load_sprint(f"{SPRINT}/bottleneck_by_hand.py")
    found = bottleneck.main(bottleneck.Config())
    assert (found.there.h, found.opposite.h, found.is_linear) == ([2.5, -2.0], [-2.0, 1.0], False)
    assert bottleneck.main(bottleneck.Config(up=(0.0, 0.0))).is_linear
    scales = load_sprint(f"{SPRINT}/scales_by_hand.py")
    found = scales.main(scales.Config())
    assert found.base == [5, 3]
    assert found.scaled == found.merged == [10, 1.5]
    assert (found.without_bias, found.merged_weight, found.merged_bias) == ([9, 2.5], [[2, 4], [0, 0.5]], [2, 1])
    assert (found.shifted, found.hidden, found.vera_added, found.vera) == ([5.5, 2], [1.5, 1], [1.5, -2.5], [6.5, 0.5])
    dora = load_sprint(f"{SPRINT}/dora_by_hand.py")
    found = dora.main(dora.Config())
    assert (found.start_lengths, found.turned, found.turned_lengths) == ([5, 2], [[4, 3], [0, 2]], [5, 2])
    assert list(found.outputs.values()) == [[10, 2], [11, 2], [11, 2], [22, 2]]
    for number in (*found.wrong_lengths[0], *found.wrong_lengths[1], *found.wrong_output):
        assert f"{number:.3f}".rstrip("0").rstrip(".") in note(3)
    assert (found.gradient_constant, found.gradient_exact) == ([2.0, 0.0], [0.72, -0.96])
    assert dora.main(dora.Config(a=(0.0, 0.0))).outputs["turned and stretched"] == [20, 2]


def test_note_1_a_bottleneck_without_a_nonlinearity_is_a_change_of_low_rank():
    generator = torch.Generator().manual_seed(0)
    shapes = ((4, 4), (4,), (1, 4), (4, 1), (4,))
    weight, bias, down, up, x = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    change = up @ down
    y = weight @ x + bias
    torch.testing.assert_close(y + change @ y, (weight + change @ weight) @ x + bias + change @ bias)
    assert torch.linalg.matrix_rank(change @ weight) == 1


def test_counts_of_the_notes_and_the_exercise(load_sprint):
    counted = load_sprint(f"{SPRINT}/counted.py")
    formulas = counted.formulas(counted.Config())
    assert f"{formulas['houlsby']:,}" in note(1)
    assert f"{formulas['lora']:,}" in note(1)
    page = (Path(counted.__file__).parent / "exercises" / "README.md").read_text(encoding="utf-8")
    for name in ("ia3", "bitfit", "vera"):
        assert f"{formulas[name]:,}" in page
    assert f"{counted.formulas(counted.Config(rank=1))['lora']:,}" in page
    assert f"{8 * (768 + 2304) + 2304:,}" in note(3)
    assert (formulas["lora"] / 24 - 768) / (2 * 768 + 1) == pytest.approx(31.5, abs=0.05)


def test_exercise_b_what_is_left():
    weight = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    change = torch.tensor([2.0, 1, -1])[:, None] * weight - weight
    assert torch.linalg.matrix_rank(change) == 2


def test_two_rates_are_an_alpha_and_each_change_has_its_method(load_sprint):
    rates = load_sprint(f"{SPRINT}/two_rates.py")
    found = rates.main(rates.Config(steps=8))
    assert found.largest_difference < 1e-5
    assert found.losses["LoRA"][-1] > found.losses["LoRA+"][-1]
    assert rates.main(rates.Config(steps=5, optimizer="sgd")).largest_difference > 1e-3
    script = load_sprint(f"{SPRINT}/what_each_can_change.py")
    config = script.Config(features=4, rank=1, vera_rank=3, rows=32, steps=60, rates=(0.1,), seeds=1)
    ways = script.methods(config)
    for name, change in (("BitFit", "shifted"), ("IA3", "stretched"), ("LoRA", "low rank")):
        assert script.learn(config, ways[name], change, 0.1, 0) < 0.05, name
    assert script.learn(config, ways["IA3"], "low rank", 0.1, 0) > 0.2
    assert script.learn(config, ways["LoRA"], "shifted", 0.1, 0) > 0.5


def test_faults_show_nothing_in_the_outputs_at_the_start(load_sprint):
    script = load_sprint(f"{SPRINT}/equals_peft.py")
    for fault in ("IA3 merged without the bias", "DoRA: lengths along the wrong axis of Conv1D"):
        name, kind = script.FAULTS[fault]
        start, later = (script.compare(name, "gpt2", deviation, kind) for deviation in (0.0, 0.3))
        assert max(start.outputs, start.merged) < 1e-6
        assert max(later.outputs, later.gradients, later.merged) > 1e-2
