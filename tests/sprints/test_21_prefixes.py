"""Prefixes in sprint 21: what notes 5 to 7 and the exercises work out by hand, the theorem, and the scripts, tiny."""

import math

import pytest
import torch
from lesson_texts import lesson_texts, shown

SPRINT = "21_adapters_and_prompts"
PAGE, note = lesson_texts(SPRINT)


def test_notes_5_and_6_three_words_and_a_prefix(load_sprint):
    script = load_sprint(f"{SPRINT}/prefix_by_hand.py")
    results = script.main(script.Config())
    shown(note(5), *results.powers[1:], *results.weights, results.power_of_prefix, *results.weights_with)
    shown(note(5), sum(results.powers), sum(results.powers) + results.power_of_prefix)
    shown(note(5), results.mixed_with, form=".2f")
    assert results.mixed_with == pytest.approx(results.at_once) == pytest.approx(results.moved)
    assert results.cat_to_sat == pytest.approx([math.e] * 2)
    shown(note(6), 1 - results.weights_with[0], results.mixed, results.cat_to_sat[0])
    hardly = script.main(script.Config(key=(-3.0, 0.0, 0.0, 0.0)))
    shown(note(5), hardly.power_of_prefix)
    assert f"{100 * hardly.weights_with[0]:.1f} % of the weight" in note(5)
    silent = script.main(script.Config(key=(0.0, 0.0, 0.0, 0.0), value=0.0))
    shown(note(5), silent.mixed_with, form=".1f")
    script.plot(results)


def test_notes_5_and_7_counted(load_sprint):
    prompts = load_sprint(f"{SPRINT}/adaptation/prompts.py")
    config, sizes = prompts.PromptConfig, prompts.KeyValueSizes(12, 12, 64)
    for number, made, numbers in (
        (5, config("prompt", 20), 15_360),
        (5, config("prefix", 20), 368_640),
        (7, config("prefix", 20, 512), 9_864_704),
        (7, config("p_tuning", 10, 768), 1_779_456),
    ):
        assert prompts.parameters_of(made, 768, sizes) == numbers
        assert f"{numbers:,}" in note(number)
    assert 24 * 2 * 50 * 1024 == 2_457_600
    assert f"{2 * 2_457_600:,} bytes" in PAGE
    assert f"{24 * 2 * 50 * 256:,} numbers" in PAGE


def test_note_7_keys_of_three_sizes():
    for key, weight in (((0.25, -0.25, 0.25, 0.25), "0.125"), ((1, -1, 1, 1), "0.232"), ((3, 1, 2, 2), "0.858")):
        power = math.exp(sum(key) / 2)
        assert f"{power / (9 + power):.3f}" == weight
        assert weight in note(7)


def test_exercise_e_one_query_two_prefixes():
    powers, values = torch.tensor([3.0, 5, 1, 2, 5]), torch.tensor([10.0, 2, 8, 0, 16])
    assert (powers @ values / powers.sum()).item() == 8
    assert (powers[2:] @ values[2:] / powers[2:].sum()).item() == 11
    assert (powers[:2] @ values[:2] / powers[:2].sum()).item() == 5
    assert "half of 11 and half of 5 are 8" in PAGE


def test_a_prefix_cannot_move_the_shares_and_other_things_can(load_sprint):
    script = load_sprint(f"{SPRINT}/ratios.py")
    config = script.Config(tokens=4, d_model=6, lengths=(1, 5), draws=5, steps=2)
    changes = script.main(config).changes
    assert changes == script.main(config).changes
    for name, change in changes.items():
        assert change < 1e-12 if name.startswith(("prefix of", "prompt")) else change > 1e-3, name
    script.plot(script.Results(changes))


@pytest.mark.parametrize("name", ["sorter", "elicit"])
def test_sorters_are_tuned_alike_and_only_a_prefix_leaves_the_shares(name: str, load_sprint):
    script = load_sprint(f"{SPRINT}/{name}.py")
    sizes = {"length": 3, "d_model": 8, "base_steps": 2, "steps": 2, "batch_size": 4, "test_rows": 6, "seeds": 2}
    prefixes = {"prefix_lengths" if name == "sorter" else "lengths": (2,), "prefix_rates": (0.1,)}
    rates = {"lora_rates": (0.1,)} | ({"full_rates": (0.1, 0.2)} if name == "sorter" else {})
    results = script.main(script.Config(rank=1, **sizes, **prefixes, **rates))
    assert results.tuned["prefix of 2"].parameters == 2 * 2 * 8
    assert results.tuned["LoRA of rank 1"].parameters == 4 * 8
    assert max(results.tuned["prefix of 2"].moved) < 1e-6 < min(results.tuned["LoRA of rank 1"].moved)
    script.plot(results)


def test_rows_of_digits(load_sprint):
    sorting = load_sprint(f"{SPRINT}/adaptation/sorting.py")
    generator = torch.Generator().manual_seed(0)
    for order in ("up", "down"):
        (row,) = sorting.sorting_rows(1, 4, order, None, generator)
        sign, digits, answer = row[0].item(), row[1:5], row[6:]
        assert (sign, row[5]) == (sorting.UP if order == "up" else sorting.DOWN, sorting.EQUALS)
        assert torch.equal(answer, digits.sort(descending=order == "down").values)
    rows, mask = sorting.scored(sorting.sorting_rows(3, 4, "both", sorting.BLANK, generator))
    assert mask[0].tolist() == [False] * 6 + [True] * 4
    assert sorting.show_row(rows[0]).startswith("? ")


def test_lengths_starts_and_positions_on_the_shipped_model(load_sprint):
    script = load_sprint(f"{SPRINT}/lengths.py")
    sizes = {"steps": 1, "batch_size": 1, "block": 6, "held_out": 1, "seeds": 1, "rates": (0.01,), "hidden": 4}
    results = script.main(script.Config(kinds=("prompt_words", "prefix_keeps"), lengths=(2,), **sizes))
    assert results.measured["prompt, from words"]["2"].parameters == 2 * 192
    assert results.measured["prefix, text keeps its positions"]["2"].parameters == 2 * 4 * 2 * 192
    script.plot(results)


def test_what_goes_wrong_before_a_text_goes_wrong(load_sprint, monkeypatch):
    script = load_sprint(f"{SPRINT}/wrong_positions.py")
    monkeypatch.setattr(script, "LIBRARIES", ("ours",))
    results = script.main(script.Config(recipes=1, prompt=4, padding=3, new_tokens=2))
    right = ("prompt, as it must be", "the same, text padded on the left", "prefix, as it must be")
    for name, found in results.treatments.items():
        assert found.difference < 1e-3 if name in right else found.difference > 1, name
    assert set(results.written["ours"].values()) == {2}
    script.plot(results)
