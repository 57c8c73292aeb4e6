"""Every exercise of every sprint: the solution passes, and the stub and each wrong solution fail with a reason."""

from pathlib import Path

import pytest

from shared.lab.examining import Outcome, examine
from shared.lab.exercises import Exercise, all_exercises
from shared.lab.modules import load_module

EXERCISES = all_exercises()
WRONG = [path for exercise in EXERCISES for path in sorted((exercise.folder / "wrong").glob("*.py"))]


def run_checks(exercise: Exercise, file: Path) -> list[Outcome]:
    """Run the checks on a file; what it does not define is the reference solution's."""
    names = vars(load_module(exercise.folder / "solution.py")) | vars(load_module(file))
    return examine(load_module(exercise.folder / "check.py"), names)


def place(path: Path) -> str:
    return f"{path.parents[1].name}/{path.stem}"


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.number)
def test_the_solution_passes(exercise: Exercise):
    outcomes = run_checks(exercise, exercise.folder / "solution.py")
    assert outcomes
    assert [outcome for outcome in outcomes if not outcome.passed] == []


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.number)
def test_the_stub_fails_and_defines_what_the_solution_does(exercise: Exercise):
    outcomes = run_checks(exercise, exercise.folder / "stub.py")
    assert not any(outcome.passed for outcome in outcomes)
    assert outcomes[0].what == "It is not written yet."


@pytest.mark.parametrize("path", WRONG, ids=place)
def test_a_wrong_solution_fails_and_is_shown_what_was_expected_and_what_came(path: Path):
    exercise = next(exercise for exercise in EXERCISES if exercise.folder == path.parents[1])
    failed = [outcome for outcome in run_checks(exercise, path) if not outcome.passed]
    assert failed
    for outcome in failed:
        assert outcome.what
        assert outcome.given
        assert outcome.expected
        assert outcome.received
        assert outcome.received != outcome.expected


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.number)
def test_an_exercise_is_complete(exercise: Exercise):
    assert len(list((exercise.folder / "wrong").glob("*.py"))) >= 3
    assert len(exercise.hints) >= 2
    stub = (exercise.folder / "stub.py").read_text(encoding="utf-8")
    assert f"uv run sprints check {exercise.number}" in stub
    page = (exercise.folder.parent / "README.md").read_text(encoding="utf-8")
    assert exercise.number in page


def test_numbers_are_unique():
    numbers = [exercise.number for exercise in EXERCISES]
    assert len(set(numbers)) == len(numbers)
    assert numbers == sorted(numbers)
