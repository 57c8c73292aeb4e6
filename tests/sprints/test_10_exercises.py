"""The answers that the exercises of sprint 10 give on paper, and what its notes work out by hand."""

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from lesson_texts import lesson_texts

from shared.generation.sampling import apply_temperature, top_p_filter
from shared.lab.modules import load_module
from shared.text.grammar import Choice, Pen

SPRINT = Path(__file__).parents[2] / "sprints/10_pretrained_generation_demo"
PAGE, note = lesson_texts("10_pretrained_generation_demo")


@pytest.fixture
def part(load_sprint: Callable[[str], ModuleType]) -> Callable[[str], ModuleType]:
    """Import a script of this sprint, or a module of its package, by its name."""

    def load(name: str) -> ModuleType:
        path = SPRINT / f"{name}.py" if (SPRINT / f"{name}.py").is_file() else SPRINT / "decoding_demo" / f"{name}.py"
        return load_sprint(path.relative_to(SPRINT.parent).as_posix())

    return load


def numbers(row: torch.Tensor) -> str:
    return ", ".join(f"{number:.3f}" for number in row.flatten().tolist() if number)


# On paper


def test_three_words():
    logits = torch.tensor([[0.6, 0.3, 0.1]], dtype=torch.float64).log()
    assert f"divided: {numbers(apply_temperature(logits, 0.5).softmax(-1))}" in PAGE
    assert f"two stay: {numbers(top_p_filter(logits, 0.85).softmax(-1))}" in PAGE
    warm = apply_temperature(logits, 2)
    assert f"divided {numbers(warm.softmax(-1))}" in PAGE
    assert f"{sum(sorted(warm.softmax(-1)[0].tolist())[1:]):.3f}" in PAGE
    assert not top_p_filter(warm, 0.85).isinf().any(), "all three stay"


def test_two_penalties(part):
    rules, said = part("repetition"), torch.tensor([[1, 2]])
    logits = torch.tensor([[3.0, -1, -2]], dtype=torch.float64)
    assert rules.divide(logits, said, 2).tolist() == [[3, -0.5, -1]]
    assert rules.push_down(logits, said, 2).tolist() == [[3, -2, -4]]
    juice = [rows.softmax(-1)[0, 2].item() for rows in (logits, rules.divide(logits, said, 2))]
    assert f"from {juice[0]:.3f} to {juice[1]:.3f}" in PAGE
    assert f"less, {rules.push_down(logits, said, 2).softmax(-1)[0, 2].item():.3f}" in PAGE
    for rule in (rules.divide, rules.push_down):
        assert rule(logits + 5, said, 2).tolist() == [[8, 2, 1.5]]


def test_quality_and_diversity():
    entropy = -0.6 * math.log(0.6) - 2 * 0.2 * math.log(0.2)
    divergence = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert f"{entropy:.3f} nats" in PAGE
    assert f"{divergence:.3f} nats" in PAGE
    assert f"10 / 0.8 = {10 / 0.8:g} texts" in PAGE


def test_a_straddling_choice(part):
    first, second = Choice(("pea ", "pear ", "peach ", "fig "), (0.4, 0.3, 0.2, 0.1)), Choice(("soup", "tart"))

    def dish(pen: Pen) -> None:
        pen.choose(first, "first")
        pen.choose(second, "second")

    found = part("exact_next_token").continuations(dish, "pea", lambda _: False)
    assert len(found) == 6
    for words, number in ((" soup", "0.222"), ("r soup", "0.167"), ("ch tart", "0.111")):
        assert f"{found[words]:.3f}" == number
        assert f"{number} each" in PAGE
    letters = {letter: sum(p for words, p in found.items() if words.startswith(letter)) for letter in " rc"}
    assert "a space with {:.3f}, *r* with {:.3f}, *c* with {:.3f}".format(*letters.values()) in PAGE
    settled = part("exact_next_token").continuations(dish, "pea ", lambda _: False)
    assert settled == pytest.approx({"soup": 0.5, "tart": 0.5})


def test_note_4_four_dishes(part):
    script = part("straddling")
    results = script.main(script.Config())
    assert results.after == pytest.approx({"roasted roots": 0.375, "roasted rice": 0.25, "raw roots": 0.375})
    assert results.next_letter == pytest.approx({"o": 0.625, "a": 0.375})
    assert script.main(script.Config(text="ro")).next_letter == pytest.approx({"a": 1})
    assert script.main(script.Config(text="s")).next_letter == pytest.approx({"l": 1})
    assert script.main(script.Config(text="roasted r")).next_letter == pytest.approx({"o": 0.6, "i": 0.4})
    assert len(script.plot(results).axes) == 1


# What the notes work out by hand


def test_note_1_six_texts(part):
    script = part("two_steps")
    found = [script.main(script.Config(width=width)) for width in (1, 2, 3)]
    assert [one.beam for one in found] == ["nice pie", "warm soup", "hot soup"]
    assert sum(found[0].texts.values()) == pytest.approx(1)
    assert found[0].texts == pytest.approx(
        {
            "nice pie": 0.16,
            "nice soup": 0.12,
            "nice stew": 0.12,
            "warm soup": 0.175,
            "warm stew": 0.175,
            "hot soup": 0.25,
        }
    )
    for probability in found[0].texts.values():
        assert f"{probability:g}" in note(1)
    assert len(script.plot(found[1]).axes) == 1


def test_note_1_a_wider_beam_may_find_less():
    tree = {  # that of the note, and how it goes on
        "a": {"nice": 0.4, "warm": 0.35, "hot": 0.25},
        "nice": {"nice pie": 0.4, "nice soup": 0.3, "nice stew": 0.3},
        "warm": {"warm soup": 0.5, "warm stew": 0.5},
        "nice pie": {"end": 1.0},
        "warm soup": {f"soup {word}": 0.1 for word in range(10)},
        "warm stew": {f"stew {word}": 0.1 for word in range(10)},
    }
    words = sorted({*tree, *(word for after in tree.values() for word in after)})
    table = torch.full((len(words), len(words)), 1e-9, dtype=torch.float64)
    for word, after in tree.items():
        for other, probability in after.items():
            table[words.index(word), words.index(other)] = probability
    search = load_module(SPRINT / "exercises/03_beam_search/solution.py").beam_search
    found = []
    for width in (1, 2):
        places = [words.index("a"), *search(table.log(), words.index("a"), 3, width)]
        found.append(math.prod(table[last, token].item() for last, token in itertools.pairwise(places)))
    assert found == pytest.approx([0.16, 0.0175])
    assert f"ends with {found[0]:.2f}. A beam of two" in note(1)
    assert f"ends with {found[1]:.4f}" in note(1)


def test_note_2_five_tokens(part):
    script = part("one_draw")
    rows = script.main(script.Config()).rows
    text = note(2)
    assert len(rows) == 7
    for name in ("temperature 0.5", "temperature 2", "top-k 3", "top-p 0.7"):
        assert numbers(torch.tensor(rows[name])) in text
    warm = rows["temperature 2"]
    assert f"{warm[0] + warm[1]:.3f}" in text
    kept = [sum(p > 0 for p in rows[name]) for name in rows if "then" in name]
    assert kept == [3, 2]
    assert f"{0.999**170:.3f}" in text


def test_note_3_three_rules(part):
    script = part("penalties")
    results = script.main(script.Config())
    text = note(3)
    for row in results.probabilities.values():
        for values in row.values():
            assert numbers(torch.tensor(values)) in text
    first, second = results.probabilities.values()
    assert first["no penalty"] == pytest.approx(second["no penalty"])
    assert first["subtract"] == pytest.approx(second["subtract"])
    assert first["CTRL: divide"][2] > first["no penalty"][2], "stew was said and went up"
    assert all(second["CTRL: divide"][place] > second["no penalty"][place] for place in (1, 2))
    assert len(script.plot(results).axes) == 1


def test_note_3_beams_get_other_penalties_than_greedy_decoding(part):
    script = part("signs_of_logits")
    results = script.main(script.Config(texts=1, most_tokens=12))
    assert results.negative["log-softmax"] == pytest.approx(1, abs=0.02)
    assert results.after["log-softmax"]["CTRL: divide"] > results.before
    assert results.raised["logits"]["transformers: push down"] == 0
    assert results.raised["logits"]["CTRL: divide"] == pytest.approx(results.negative["logits"])
    assert len(script.plot(results).axes) == 1


def test_note_5_four_good_texts():
    entropy = -4 * 0.225 * math.log(0.225) - 0.1 * math.log(0.1)
    assert f"{entropy:.3f} nats" in note(5)
    assert f"{math.log(4):.3f} nats" in note(5)


def test_note_6_tokens_that_fit(part):
    spelled = [" olive", " o", "ol", " oil", " "]
    model = SimpleNamespace(
        spelled=spelled,
        last_piece=lambda _: len("1 tbsp"),
        encode=lambda _: [],
        logits=lambda _: torch.zeros(len(spelled)),
    )
    start = part("trailing_space").healed(model, "1 tbsp ol", torch.Generator().manual_seed(0))
    fit = [token for token, probability in zip(spelled, start.first.tolist(), strict=True) if probability]
    assert fit == [" olive", " o", " "]
    assert "` olive` begins with ` ol`; ` o` and the lone space begin it" in note(6)
    assert "".join(spelled[token] for token in start.tokens).startswith(" ol")


def test_note_6_a_space_is_a_token_of_its_own(part):
    script = part("cut_prompts")
    results = script.main(script.Config())
    assert results.tokens["with a space"] == [*results.tokens["the prompt"], " "]
    assert results.shared["the prompt"] == results.shared["with a space"] == len(results.tokens["the prompt"])
    assert results.shared["inside the word"] < len(results.tokens["inside the word"])
    assert len(script.plot(results).axes) == 1


def test_note_7_tokens_of_the_template():
    recorded = json.loads((SPRINT / "results/chat_template.json").read_text(encoding="utf-8"))["results"]
    users = ["Be", " brief", ".", "What", " is", " a", " soup", "?"]
    assert [token for token in recorded["tokens"] if token in users] == users
    assert f"2 · 5 + 4 = {len(recorded['tokens']) - len(users)} tokens" in note(7)
    answer = recorded["tokens"][-4:]
    assert answer == ["<|im_start|>", "ass", "istant", "\n"], (
        "one more than system and user: 6 and 4 in the last question"
    )


def test_note_8_two_parts_of_the_time():
    assert f"0.3 + 199 · 0.05 = {0.3 + 199 * 0.05:.2f} s" in note(8)


def test_note_8_half_a_character(part):
    script = part("half_a_character")
    results = script.main(script.Config())
    assert results.shown[-1] == results.decoded[-1] == "Crème brûlée"
    assert any(text.endswith("\N{REPLACEMENT CHARACTER}") for text in results.decoded)
    assert not any("\N{REPLACEMENT CHARACTER}" in text for text in results.shown)
    assert all(late.startswith(early) for early, late in zip(results.shown, results.shown[1:], strict=False))
    assert len(script.plot(results).axes) == 1


def test_note_9_two_users(part):
    script = part("whose_turn")
    results = script.main(script.Config())
    assert results.first == {"a queue": 11, "turns": 1}
    assert results.last == {"a queue": 13, "turns": 4}
    assert "there after eleven computations, and the last one after thirteen" in note(9)
    long = script.turns(script.Config(short=20))
    assert max(place for place, text in enumerate(long, start=1) if text != "B") == 23
    assert len(script.plot(results).axes) == 1
