"""What the notes of sprint 21 on methods on weights work out by hand, and their scripts at a tiny size."""

import pytest
import torch
from lesson_texts import lesson_texts

SPRINT = "21_adapters_and_prompts"
page, note = lesson_texts(SPRINT)


def test_notes_and_scripts_by_hand(load_sprint):
    bottleneck = load_sprint(f"{SPRINT}/bottleneck_by_hand.py")
    found = bottleneck.main(bottleneck.Config())
    assert (found.there.h, found.opposite.h, found.stays_opposite) == ([2.5, -2.0], [-2.0, 1.0], False)
    assert bottleneck.main(bottleneck.Config(up=(0.0, 0.0))).stays_opposite
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
    for (first, second), words in zip(found.wrong_lengths, ("(4, 2), of", "(3, 2), of"), strict=True):
        assert f"{words} lengths {first:g} and {second:.3f}" in note(3)
    assert found.wrong_output == pytest.approx([8.25, 2.481], abs=5e-4)
    assert (found.gradient_constant, found.gradient_exact) == ([2.0, 0.0], [0.72, -0.96])
    assert dora.main(dora.Config(a=(0.0, 0.0))).outputs["turned and stretched"] == [20, 2]


def test_note_1_a_bottleneck_without_a_nonlinearity_is_a_change_of_low_rank():
    generator = torch.Generator().manual_seed(0)
    shapes = ((4, 4), (4,), (1, 4), (1,), (4, 1), (4,), (4,))
    weight, bias, down, down_bias, up, up_bias, x = (
        torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes
    )
    change = up @ down
    y = weight @ x + bias
    merged_bias = bias + change @ bias + up @ down_bias + up_bias
    torch.testing.assert_close(y + up @ (down @ y + down_bias) + up_bias, (weight + change @ weight) @ x + merged_bias)
    assert torch.linalg.matrix_rank(change @ weight) == 1


def test_counts_of_the_notes_and_the_exercise(load_sprint):
    counted = load_sprint(f"{SPRINT}/counted.py")
    formulas = counted.formulas(counted.Config())
    assert f"{formulas['houlsby']:,}" in note(1)
    assert f"{formulas['lora']:,}" in note(1)
    for name in ("ia3", "bitfit", "vera"):
        assert f"{formulas[name]:,}" in page
    rank_1 = counted.formulas(counted.Config(rank=1))["lora"]
    assert f"{rank_1:,}" in page
    assert f"{formulas['vera'] // 12:,} numbers in a block" in page
    assert rank_1 * 8 == formulas["lora"], "an eighth"
    assert f"files of {4 * formulas['lora'] / 1e6:.1f} MB" in note(2)
    assert f"hidden features: {formulas['ia3'] // 12:,}" in note(2)
    assert f"{8 * (768 + 2304) + 2304:,}" in note(3)
    sizes = {width: counted.formulas(counted.Config(bottleneck=width))["houlsby"] for width in range(20, 40)}
    nearest = min(sizes, key=lambda width: abs(sizes[width] - formulas["lora"]))
    assert f"A bottleneck of {nearest}, with {sizes[nearest]:,} numbers" in note(1)
    assert f"24 of them {counted.formulas(counted.Config(bottleneck=48))['houlsby']:,}" in note(1)


def test_exercise_b_what_is_left():
    weight = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    change = torch.tensor([2.0, 1, -1])[:, None] * weight - weight
    assert torch.linalg.matrix_rank(change) == 2


def test_two_rates_are_an_alpha_and_each_change_has_its_method(load_sprint):
    rates = load_sprint(f"{SPRINT}/two_rates.py")
    found = rates.main(rates.Config(steps=8))
    assert found.largest_difference < 1e-5
    assert found.losses["LoRA"][-1] > found.losses["LoRA+"][-1]
    plain = rates.Config(steps=5, optimizer="sgd", rate=0.01)
    assert rates.main(plain).largest_difference > 1e-3
    two, one = rates.learn(plain, 8.0, 16.0), rates.learn(plain, 4 * 8.0, None)
    assert two[0] > 1.01 * two[-1]
    assert one == pytest.approx(two, rel=1e-5), "with plain gradient descent the root of the ratio is enough"
    script = load_sprint(f"{SPRINT}/what_each_can_change.py")
    config = script.Config(features=4, rank=1, vera_rank=3, rows=32, steps=60, rates=(0.1,), seeds=1)
    ways = script.methods(config)
    for name, change in (("BitFit", "shifted"), ("IA3", "stretched"), ("LoRA", "low rank")):
        assert script.learn(config, ways[name], change, 0.1, 0) < 0.05, name
    assert script.learn(config, ways["IA3"], "low rank", 0.1, 0) > 0.2
    assert script.learn(config, ways["LoRA"], "shifted", 0.1, 0) > 0.5
    with pytest.raises(ValueError, match="network; got 'turned'"):
        script.learn(config, ways["LoRA"], "turned", 0.1, 0)


def test_faults_show_nothing_in_the_outputs_at_the_start(load_sprint):
    script = load_sprint(f"{SPRINT}/equals_peft.py")
    for fault, (name, kind) in script.FAULTS.items():
        start, later = (script.compare(name, "gpt2", deviation, kind) for deviation in (0.0, 0.3))
        assert max(start.outputs, start.merged) < 1e-6, fault
        assert (start.gradients > 1e-2) == (name == "dora"), fault
        assert max(later.outputs, later.gradients, later.merged) > 1e-2, fault
