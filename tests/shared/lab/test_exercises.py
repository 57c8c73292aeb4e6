"""Exercises in a little repository of its own: stubs, the learner's files, hints, and what has passed."""

import json
import shutil
from pathlib import Path

import pytest

from shared.lab import exercises, paths
from shared.lab.examining import Examination, Outcome
from shared.lab.exercises import all_exercises, find_exercises

REAL = paths.SPRINTS / "06_multi_head_attention" / "exercises" / "02_heads"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two exercises of sprint 6 and one of sprint 10."""
    for name, folder in (("ROOT", "."), ("SPRINTS", "sprints"), ("RUNS", "runs"), ("WORKBOOK", "workbook")):
        monkeypatch.setattr(paths, name, tmp_path / folder)
    for folder in ("06_attention/exercises/02_heads", "06_attention/exercises/10_more", "10_demo/exercises/01_draw"):
        shutil.copytree(REAL, tmp_path / "sprints" / folder)
    (tmp_path / "sprints" / "06_attention" / "exercises" / "README.md").write_text("no exercise")
    return tmp_path


@pytest.mark.usefixtures("root")
def test_exercises_are_found_by_number():
    assert [exercise.number for exercise in all_exercises()] == ["06.2", "06.10", "10.1"]
    for number in ("6", "06"):
        assert [exercise.number for exercise in find_exercises(number)] == ["06.2", "06.10"]
    for number in ("6.2", "06.2", "06.02"):
        assert [exercise.folder.name for exercise in find_exercises(number)] == ["02_heads"]
    assert find_exercises("10.1")[0].title == "Splitting into heads, and merging"


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("number", ["7", "06.1", "06.20", "06/why_heads", ""])
def test_a_number_that_is_not_there_is_an_error_that_names_those_that_are(number: str):
    with pytest.raises(ValueError, match=rf"no exercise '{number}'; there are 06\.2, 06\.10, 10\.1"):
        find_exercises(number)


def test_starting_copies_the_stub_and_never_overwrites_a_learners_file(root: Path):
    (exercise,) = find_exercises("06.2")
    assert exercise.start()
    file = root / "workbook" / "06" / "02_heads.py"
    assert file == exercise.file
    assert file.read_text() == (REAL / "stub.py").read_text()
    file.write_text("mine\n")
    assert not exercise.start()
    assert file.read_text() == "mine\n"


def test_a_check_notes_what_passes_and_forgets_what_does_not_any_more(root: Path, monkeypatch: pytest.MonkeyPatch):
    (exercise,) = find_exercises("06.2")
    with pytest.raises(ValueError, match=r"workbook/06/02_heads\.py is not there: `uv run sprints start 06\.2`"):
        exercise.check()
    exercise.start()
    assert not exercise.passed
    for right in (False, True, False):
        examined = Examination([Outcome("one", True), Outcome("two", right)])
        monkeypatch.setattr(exercises, "examine_file", lambda *_, examined=examined: examined)
        assert exercise.check() is examined
        assert [other.passed for other in find_exercises("06")] == [right, False]
    assert set(json.loads((root / "runs" / "exercises.json").read_text())) == {"06.2"}


@pytest.mark.parametrize("content", [b"", b'{"06.2": {"passed": "20', b"[1]", b'{"06.2": 3}', b"\xff"])
def test_notes_that_are_damaged_are_named(root: Path, content: bytes):
    (root / "runs").mkdir()
    (root / "runs" / "exercises.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"runs/exercises\.json holds no notes about exercises: delete it"):
        _ = find_exercises("06.2")[0].passed


@pytest.mark.usefixtures("root")
def test_the_checks_of_an_exercise_examine_the_learners_file():
    (exercise,) = find_exercises("06.2")
    exercise.start()
    exercise.file.write_text(exercise.solution)
    examination = exercise.check()
    assert examination.passed
    assert len(examination.outcomes) == 5


@pytest.mark.usefixtures("root")
def test_hints_come_one_by_one_and_begin_anew():
    (exercise,) = find_exercises("06.2")
    assert len(exercise.hints) == 3
    assert exercise.hints[0].startswith("Draw the first example on paper")
    assert not any("## Hint" in hint for hint in exercise.hints)
    read = [exercise.next_hint() for _ in range(4)]
    assert [number for number, _ in read] == [1, 2, 3, 1]
    assert [hint for _, hint in read[:3]] == exercise.hints
    assert find_exercises("10.1")[0].next_hint()[0] == 1, "each exercise counts its own"
