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
    for key in ((0.25, -0.25, 0.25, 0.25), (1.0, -1, 1, 1), (1.0, 1, 1, 1)):
        power = math.exp(2 * sum(key) / math.sqrt(4))  # the query is (2, 2, 2, 2)
        shown(note(7), power / (9 + power))
    shown(note(7), math.exp(0.5), math.exp(2), 1 / (9 + math.exp(0.5)))


def test_note_5_a_call_behind_a_prompt(load_sprint):
    hooks = load_sprint(f"{SPRINT}/adaptation/prompt_hooks.py")
    mask, labels = torch.tensor([[0, 0, 1]]), torch.tensor([[-100, -100, 6]])
    named = {"input_ids": torch.tensor([[0, 0, 6]]), "attention_mask": mask, "labels": labels}
    hooks.add_prompt(named, 0, torch.ones(2, 4), torch.nn.Embedding(7, 4))
    assert named["inputs_embeds"][0, :2].eq(1).all()
    for name in ("attention_mask", "position_ids", "labels"):
        row = " | ".join(str(number) for number in named[name][0].tolist()).replace("-", "−")
        assert f"| {row} |" in note(5), name


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
def test_only_a_prefix_leaves_the_shares_of_a_sorter(name: str, load_sprint):
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
    both = sorting.sorting_rows(50, 4, "both", None, generator)
    down = both[:, 0] == sorting.DOWN
    assert 0 < down.sum() < 50
    for order in (False, True):
        rows = both[down == order]
        assert torch.equal(rows[:, 6:], rows[:, 1:5].sort(descending=order).values)
    rows, mask = sorting.scored(sorting.sorting_rows(3, 4, "both", sorting.BLANK, generator))
    assert mask[0].tolist() == [False] * 6 + [True] * 4
    assert sorting.show_row(rows[0]).startswith("? ")


def test_right_are_the_most_probable_digits_of_the_answer(load_sprint, monkeypatch):
    sorting = load_sprint(f"{SPRINT}/adaptation/sorting.py")
    rows = sorting.sorting_rows(4, 3, "up", None, torch.Generator().manual_seed(0))
    said = rows[:, 1:].clone()
    said[0, 0] = sorting.EQUALS  # a digit of the question, which is not asked
    said[1, -1] = sorting.EQUALS  # the last digit of an answer
    said[2, -3] = sorting.EQUALS  # the first one
    logits = torch.nn.functional.one_hot(said, 14).float()
    monkeypatch.setattr(sorting, "Logits", lambda _: lambda _: logits)
    assert sorting.answers_right(torch.nn.Identity(), rows) == (2 / 4, 10 / 12)


def test_sparsemax_is_the_nearest_point_of_the_simplex(load_sprint):
    shares = load_sprint(f"{SPRINT}/adaptation/shares.py")
    scores = torch.tensor([[1.0, 0.5, 0.0], [0.0, 2.0, 1.0], [0.3, 0.3, -math.inf]], dtype=torch.double)
    expected = torch.tensor([[0.75, 0.25, 0], [0, 1, 0], [0.5, 0.5, 0]], dtype=torch.double)
    torch.testing.assert_close(shares.sparsemax(scores), expected)


def test_lengths_starts_and_positions_on_the_shipped_model(load_sprint):
    script = load_sprint(f"{SPRINT}/lengths.py")
    sizes = {"steps": 1, "batch_size": 1, "block": 6, "held_out": 1, "seeds": 1, "rates": (0.01,), "hidden": 4}
    results = script.main(script.Config(kinds=("prompt_words", "prefix_keeps"), lengths=(2,), **sizes))
    assert results.measured["prompt, from words"]["2"].parameters == 2 * 192
    assert results.measured["prefix, text keeps its positions"]["2"].parameters == 2 * 4 * 2 * 192
    script.plot(results)


def test_the_new_order_has_the_method_before_the_ingredients(load_sprint):
    script = load_sprint(f"{SPRINT}/lengths.py")
    _, tokenizer = script.load_causal_model()
    ids, _ = script.reordered(tokenizer, "test", 0, 1, 10_000)  # all of one recipe
    title, listed, method, *rest = script.Cookbook().recipe("test", 0).text.split("\n\n")
    assert (listed.startswith("Ingredients"), method.startswith("Method")) == (True, True)
    assert tokenizer.decode(ids[0], skip_special_tokens=True) == "\n\n".join((title, method, listed, *rest))


def test_what_goes_wrong_before_a_text_goes_wrong(load_sprint, monkeypatch):
    script = load_sprint(f"{SPRINT}/wrong_positions.py")
    monkeypatch.setattr(script, "LIBRARIES", ("ours",))
    results = script.main(script.Config(recipes=1, prompt=4, padding=3, new_tokens=2))
    right = ("prompt, as it must be", "the same, text padded on the left", "prefix, as it must be")
    for name, found in results.treatments.items():
        assert found.difference < 1e-3 if name in right else found.difference > 1, name
    assert set(results.written["ours"].values()) == {2}
    script.plot(results)
