"""Reading in sprint 25: tasks that hold what they should, judged answers, and the optimum against all draws."""

from collections import Counter
from dataclasses import replace
from itertools import combinations, permutations

import pytest
import torch

SPRINT = "25_retrieval_augmented_generation"


@pytest.fixture
def reading(load_sprint):
    return load_sprint(f"{SPRINT}/retrieval/reading.py")


@pytest.fixture
def optimum(load_sprint):
    return load_sprint(f"{SPRINT}/retrieval/reading_optimum.py")


@pytest.fixture
def pantry(load_sprint):
    return load_sprint(f"{SPRINT}/retrieval/pantry.py").Pantry(seed=1, facts=60)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def ask_until(pantry, generator, synonyms, wanted):
    """Return a question about a passage that is wanted."""
    while True:
        question = pantry.ask(generator, synonyms)
        if wanted(question.fact):
            return question


def test_the_prompt_shows_the_passages_and_the_target_cites_the_right_one(reading, pantry):
    example = reading.make_example(pantry, pantry.ask(seeded(0), 0.5), "right", 4, seeded(1))
    lines = example.prompt.splitlines()
    assert lines[:4] == [f"[{place}] {pantry.passages[number]}" for place, number in enumerate(example.numbers, 1)]
    assert lines[4:] == [f"Question: {example.question.text}", "Answer:"]
    assert example.target == f" {example.question.answer} [{example.numbers.index(example.question.fact) + 1}]"
    assert reading.judge(example, example.target) == reading.Judged(True, False, True, True)


def test_each_situation_shows_what_it_says(reading, pantry):
    changed = {number for number in range(60) if reading.partner(pantry, number) is not None}
    for seed in range(20):
        generator = seeded(seed)
        question = ask_until(pantry, generator, 0.5, lambda number: number in changed)
        right, missing, conflict, edited, closed = (
            reading.make_example(pantry, question, situation, 5, generator)
            for situation in ("right", "missing", "conflict", "edited", "closed")
        )
        assert question.fact in right.numbers
        assert question.fact not in missing.numbers
        assert missing.target == " I do not know"
        assert {question.fact, reading.partner(pantry, question.fact)} <= set(conflict.numbers)
        assert edited.answer != question.answer
        assert edited.answer in edited.prompt
        assert closed.prompt == f"Question: {question.text}\nAnswer:"
        assert closed.target == f" {question.answer}"
        assert all(len(set(example.numbers)) == 5 for example in (right, missing, conflict, edited))


def test_partners_are_each_others(reading, pantry):
    for number in range(60):
        other = reading.partner(pantry, number)
        assert other is None or reading.partner(pantry, other) == number
    assert sum(reading.partner(pantry, number) is not None for number in range(60)) == 12


def test_the_right_passage_stands_anywhere_and_others_come_from_the_pool(reading, pantry):
    question, generator, places = pantry.ask(seeded(3), 0.5), seeded(4), Counter()
    pool = [(question.fact + step) % 60 for step in range(6)]
    for _ in range(400):
        example = reading.make_example(pantry, question, "right", 4, generator, pool)
        assert set(example.numbers) <= set(pool)
        places[example.place] += 1
    assert set(places) == {1, 2, 3, 4}
    assert max(places.values()) < 140


def test_answers_are_judged_by_word_and_by_citation(reading, pantry):
    example = reading.make_example(pantry, pantry.ask(seeded(0), 0.5), "right", 3, seeded(1))
    wrong = next(place for place in (1, 2, 3) if place != example.place)
    answer = example.answer
    assert reading.judge(example, f"{answer} [{wrong}].") == reading.Judged(True, False, True, False)
    assert reading.judge(example, f"{answer}\nQuestion: more") == reading.Judged(True, False, False, False)
    assert reading.judge(example, "I do not know.") == reading.Judged(False, True, False, False)
    assert reading.judge(example, "it is hard to say") == reading.Judged(False, False, False, False)
    assert reading.judge(example, "") == reading.Judged(False, False, False, False)
    missing = reading.make_example(pantry, example.question, "missing", 3, seeded(1))
    assert reading.judge(missing, " I do not know") == reading.Judged(True, True, False, False)
    assert not reading.judge(missing, f" {answer} [1]").correct


@pytest.mark.parametrize("pool", [None, range(12)])
def test_beliefs_are_what_going_through_all_draws_gives(reading, optimum, load_sprint, pool):
    small = load_sprint(f"{SPRINT}/retrieval/pantry.py").Pantry(seed=2, facts=20)
    shares, generator, count = optimum.Shares(right=0.5, missing=0.3, conflict=0.2), seeded(5), 3
    numbers = set(range(20) if pool is None else pool)
    for situation in ("right", "missing", "conflict", "right", "missing"):
        question = ask_until(small, generator, 1.0, lambda number: number in numbers)
        example = reading.make_example(small, question, situation, count, generator, pool)
        posterior, asked = small.posterior(question.text, 1.0), question.reading.asked
        joint = Counter()
        for number in range(20):
            other = reading.partner(small, number)
            cases = {"right": [number], "missing": [], "conflict": [number] if other is None else [number, other]}
            for name, needed in cases.items():
                rest = sorted(numbers - {number, *needed})
                draws = list(combinations(rest, count - len(needed)))
                hits = sum({*needed, *draw} == set(example.numbers) for draw in draws)
                joint[number] += posterior[number] * getattr(shares, name) * hits / len(draws)
        total = sum(joint.values())
        found = optimum.believe(small, example, 1.0, shares, pool)
        assert found.passages == pytest.approx([joint[number] / total for number in example.numbers])
        away = {number: weight / total for number, weight in joint.items() if number not in example.numbers}
        assert found.missing == pytest.approx(sum(away.values()))
        for answer, weight in found.memory.items():
            same = [weight for number, weight in away.items() if small.facts[number].values[asked] == answer]
            assert weight == pytest.approx(sum(same))


def test_the_order_of_the_passages_changes_nothing_that_the_best_reader_believes(reading, optimum, pantry):
    shares = optimum.Shares(right=0.6, missing=0.3, conflict=0.1)
    for situation in ("right", "missing", "conflict"):
        example = reading.make_example(pantry, pantry.ask(seeded(7), 0.5), situation, 4, seeded(8))
        first = optimum.believe(pantry, example, 0.5, shares)
        for order in permutations(range(4)):
            turned = replace(
                example,
                numbers=tuple(example.numbers[place] for place in order),
                shown=tuple(example.shown[place] for place in order),
            )
            belief = optimum.believe(pantry, turned, 0.5, shares)
            assert belief.passages == pytest.approx([first.passages[place] for place in order])
            assert belief.answers == pytest.approx(first.answers)
            assert belief.missing == pytest.approx(first.missing)


def test_the_best_reader_is_right_as_often_as_it_expects(reading, optimum, pantry):
    shares, generator = optimum.Shares(right=0.6, missing=0.3, conflict=0.1), seeded(6)
    expected, right, by_heart, remembered = 0.0, 0, 0.0, 0
    examples = reading.make_examples(pantry, 400, {"right": 0.6, "missing": 0.3, "conflict": 0.1}, 0.5, 4, generator)
    for example in examples:
        belief = optimum.believe(pantry, example, 0.5, shares)
        assert sum(belief.passages) + belief.missing == pytest.approx(1)
        answer, probability = belief.best()
        expected, right = expected + probability, right + (answer == example.answer)
        answer, probability = belief.best_with_memory()
        by_heart, remembered = by_heart + probability, remembered + (answer == example.question.answer)
    assert abs(right - expected) < 4 * (400 * 0.1) ** 0.5
    assert abs(remembered - by_heart) < 4 * (400 * 0.1) ** 0.5
    assert right > 360


def test_a_closed_book_leaves_the_posterior_and_an_edited_passage_its_own_words(reading, optimum, pantry):
    question = pantry.ask(seeded(7), 0.5)
    closed = reading.make_example(pantry, question, "closed", 0, seeded(8))
    belief = optimum.believe(pantry, closed, 0.5, optimum.Shares(1.0, 0.0))
    posterior = pantry.posterior(question.text, 0.5)
    for answer, weight in belief.memory.items():
        same = [fact.values[question.reading.asked] == answer for fact in pantry.facts]
        assert weight == pytest.approx(posterior[same].sum())
    edited = reading.make_example(pantry, question, "edited", 3, seeded(8))
    assert edited.answer in optimum.believe(pantry, edited, 0.5, optimum.Shares(1.0, 0.0)).answers


def test_what_cannot_be_drawn_is_refused(reading, optimum, pantry):
    question = pantry.ask(seeded(0), 0.5)
    with pytest.raises(ValueError, match="got a count of 4 and a pool with 2 others"):
        reading.make_example(pantry, question, "right", 4, seeded(0), [question.fact, *range(3)][:3])
    with pytest.raises(ValueError, match="needs 1 passages or more"):
        reading.make_example(pantry, question, "right", 0, seeded(0))
    with pytest.raises(ValueError, match="add up to 1"):
        reading.make_examples(pantry, 3, {"right": 0.5}, 0.5, 3, seeded(0))
    with pytest.raises(ValueError, match="add up to 1"):
        optimum.Shares(0.5, 0.6)
