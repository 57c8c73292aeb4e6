"""What a learner reads in the terminal."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from shared.lab import terminal
from shared.lab.examining import Examination, Outcome
from shared.lab.exercises import Exercise, find_exercises


@pytest.fixture
def exercise() -> Exercise:
    return find_exercises("06.2")[0]


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def test_a_failed_check_shows_what_is_wrong_input_expected_and_received(exercise: Exercise, console: Console):
    given = {"x": "(1, 2) float32\n[[1. 2.]]", "heads": "2"}
    wrong = Outcome("it is cut", False, "The heads must come first.", given, "[1.]", "[2.]")
    later = Outcome("it is merged", False, "No.", {}, "[3.]", "[4.]")
    examination = Examination([Outcome("it is there", True), wrong, later], "my print\n")
    terminal.show_examination(exercise, examination, console)
    assert (
        text_of(console)
        == """\
06.2  Splitting into heads, and merging: 1 of 3 checks pass
  passed  it is there
  failed  it is cut

          The heads must come first.

          x  (1, 2) float32
          [[1. 2.]]

          heads  2

          expected  [1.]

          received  [2.]

  failed  it is merged
          your code printed:
          my print

  workbook/06/02_heads.py; a hint: `uv run sprints hint 06.2`"""
    )


def test_colours_are_green_and_red(exercise: Exercise):
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system="standard", legacy_windows=False)
    examination = Examination([Outcome("one", True), Outcome("two", False, "No.")])
    terminal.show_examination(exercise, examination, console)
    assert "\x1b[32m  passed" in text_of(console)
    assert "\x1b[31m  failed" in text_of(console)


def test_square_brackets_of_tensors_are_no_markup(exercise: Exercise, console: Console):
    wrong = Outcome("[red]one", False, "[bold]No.", {"[x]": "[0]"}, "[red]", "[/red]")
    terminal.show_examination(exercise, Examination([wrong], "[blue]printed[/nothing]"), console)
    for text in ("[red]one", "[bold]No.", "[x]  [0]", "expected  [red]", "received  [/red]", "[blue]printed[/nothing]"):
        assert text in text_of(console)


def test_passing_shows_no_hint(exercise: Exercise, console: Console):
    terminal.show_examination(exercise, Examination([Outcome("one", True)], "printed"), console)
    assert text_of(console) == "06.2  Splitting into heads, and merging: 1 of 1 checks pass\n  passed  one"


def test_the_last_hint_names_the_solution(exercise: Exercise, console: Console):
    terminal.show_hint(exercise, 1, "Draw `it`.", console)
    assert "solution" not in text_of(console)
    terminal.show_hint(exercise, 3, "Use it.", console)
    assert "hint 3 of 3" in text_of(console)
    assert "`uv run sprints solution 06.2`" in text_of(console)


def test_the_solution_can_be_copied_from_a_narrow_terminal(exercise: Exercise):
    console = Console(file=io.StringIO(), width=20)
    terminal.show_solution(exercise, console)
    assert text_of(console).strip() == exercise.solution.strip()


def test_a_file_that_was_there_is_said_to_be_left(exercise: Exercise, console: Console):
    terminal.show_started(exercise, True, console)
    terminal.show_started(exercise, False, console)
    assert text_of(console).count("workbook/06/02_heads.py") == 2
    assert text_of(console).count("yours, left as it is") == 1
    assert Path(exercise.folder / "stub.py").is_file()


def test_brackets_in_a_path_are_shown_as_they_are(exercise: Exercise, console: Console, monkeypatch):
    monkeypatch.setattr(terminal, "shown", lambda _: "[course] [/]/01_attend.py")
    terminal.show_started(exercise, True, console)
    terminal.show_examination(exercise, Examination([Outcome("it is cut", False, "No.")]), console)
    assert text_of(console).count("[course] [/]/01_attend.py") == 2
