"""The commands of `sprints`, called as in a terminal."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.lab import exercises, paths
from shared.lab.cli import app
from shared.lab.examining import Examination, examine
from shared.lab.modules import load_module

EXERCISES = paths.SPRINTS / "06_multi_head_attention" / "exercises"


def call(*arguments: str) -> tuple[int, str]:
    """Return the exit status and the output of a command, and raise what a traceback would show."""
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the exercises of sprint 6."""
    for name, folder in (("ROOT", "."), ("SPRINTS", "sprints"), ("RUNS", "runs"), ("WORKBOOK", "workbook")):
        monkeypatch.setattr(paths, name, tmp_path / folder)
    shutil.copytree(EXERCISES, tmp_path / "sprints" / "06_attention" / "exercises")
    return tmp_path


def test_alone_it_shows_the_curriculum():
    code, said = call()
    assert code == 0
    assert "multi-head attention" in said
    assert "Next: " in said
    assert call("curriculum") == (0, said)


def test_help_names_every_command():
    code, said = call("--help")
    assert code == 0
    for command in ("pages", "reproduce", "figures", "doctor", "start", "check", "hint", "solution"):
        assert f" {command} " in said


def examine_here(checks: Path, file: Path) -> Examination:
    """Examine a file in this process: another one takes seconds to begin (tests of `examining` use one)."""
    return Examination(examine(load_module(checks), vars(load_module(file))))


def test_an_exercise_from_its_stub_to_its_solution(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exercises, "examine_file", examine_here)
    code, said = call("start", "06")
    assert code == 0
    assert "workbook/06/01_attend.py" in said
    assert call("check", "06.2")[0] == 1
    for hint in (1, 2, 3, 1):
        assert f"hint {hint} of 3" in call("hint", "06.2")[1]
    code, solution = call("solution", "06.2")
    assert code == 0
    (root / "workbook" / "06" / "02_heads.py").write_text(solution)
    code, said = call("check", "6.2")
    assert code == 0, said
    assert "5 of 5 checks pass" in said
    assert call("start", "06")[1].count("yours, left as it is") == len(list((root / "workbook" / "06").glob("*.py")))


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("command", ["start", "check", "hint", "solution"])
def test_an_exercise_that_is_not_there_is_a_sentence(command: str):
    code, said = call(command, "07")
    assert code == 2
    assert "there is no exercise '07'; there are 06.1, 06.2" in " ".join(said.replace("│", " ").split())


@pytest.mark.usefixtures("root")
def test_a_check_before_the_start_is_a_sentence():
    code, said = call("check", "06.1")
    assert code == 2
    assert "uv run sprints start 06.1" in " ".join(said.replace("│", " ").split())


def test_the_doctor_looks_at_this_machine():
    code, said = call("doctor")
    assert code == 0
    assert "bfloat16" in said
