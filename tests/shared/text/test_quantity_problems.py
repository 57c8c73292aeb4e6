"""Problems whose thoughts are right, and answers that are judged by number and unit."""

import re

import torch

from shared.text.quantity_problems import Problem, problem


def test_problem_is_solved_by_its_thought():
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        made = problem(generator)
        given, servings, others = map(
            int, re.fullmatch(r"(\d+) g [a-z ]+ for (\d+), how much for (\d+)\?", made.question).groups()
        )
        assert servings != others
        assert made.answer == f"{given * others // servings} g"
        for left, sign, right, result in re.findall(r"(\d+) ([*/]) (\d+) = (\d+)", made.thought):
            assert int(left) == int(right) * int(result) if sign == "/" else int(left) * int(right) == int(result)
        assert made.is_correct(made.answer)
        assert made.is_correct(made.answer.split()[0])
        assert not made.is_correct(made.answer.replace("g", "ml"))
        assert not made.is_correct("7")


def test_an_answer_needs_the_number_and_no_other_unit():
    asked = Problem("200 g rice for 2, how much for 3?", "200 / 2 = 100. 100 * 3 = 300.", "300 g")
    assert [asked.is_correct(answer) for answer in ("300 g", "300", " 300  g ", "300 ml", "30 g", "", "300 g g")] == [
        *[True] * 3, *[False] * 4,
    ]  # fmt: skip


def test_same_seed_same_problems():
    first, second = ([problem(torch.Generator().manual_seed(seed)) for seed in range(5)] for _ in range(2))
    assert first == second
    assert len(set(first)) == 5
