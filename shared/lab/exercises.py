"""The code exercises of sprints: where they stand, the learner's files, hints, and what has passed.

An exercise is a folder `sprints/NN_name/exercises/01_attend/`:

    stub.py       what the learner fills in; the first line of its docstring is the exercise's title
    solution.py   the reference solution
    check.py      the checks (`shared/lab/examining.py`)
    hints.md      hints under headings `## Hint 1`, each saying a little more than the one before
    wrong/        solutions that look right and are not; what a file leaves out is the reference solution's

It is called by its number, 06.1. The learner's copy of the stub stands in `workbook/06/01_attend.py`; what has passed
and which hints were read is noted in `runs/exercises.json`.
"""

import datetime
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.lab import paths
from shared.lab.examining import Examination, examine_file
from shared.lab.files import write_text

# By number: the day on which it "passed", and how many "hints" were read.
NOTES = TypeAdapter(dict[str, dict[str, str | int]])


@dataclass(frozen=True)
class Exercise:
    """An exercise of a sprint."""

    folder: Path

    @property
    def sprint(self) -> str:
        """Return the number of the sprint, such as 06."""
        return self.folder.parents[1].name.partition("_")[0]

    @property
    def number(self) -> str:
        """Return the number that it is called by, such as 06.1."""
        return f"{self.sprint}.{int(self.folder.name.partition('_')[0])}"

    @property
    def title(self) -> str:
        text = (self.folder / "stub.py").read_text(encoding="utf-8")
        return text.removeprefix('"""').splitlines()[0].removesuffix('"""').removesuffix(".")

    @property
    def file(self) -> Path:
        """Return the learner's file."""
        return paths.WORKBOOK / self.sprint / f"{self.folder.name}.py"

    @property
    def hints(self) -> list[str]:
        text = (self.folder / "hints.md").read_text(encoding="utf-8")
        return [hint.strip() for hint in re.split(r"^## Hint \d+$", text, flags=re.MULTILINE)[1:]]

    @property
    def solution(self) -> str:
        return (self.folder / "solution.py").read_text(encoding="utf-8")

    @property
    def passed(self) -> bool:
        """Return whether all checks have passed when they were run last."""
        return "passed" in _notes().get(self.number, {})

    def start(self) -> bool:
        """Copy the stub to the learner's file unless there is one; return whether it was copied."""
        if self.file.exists():
            return False
        write_text(self.file, (self.folder / "stub.py").read_text(encoding="utf-8"))
        return True

    def check(self) -> Examination:
        """Run the checks on the learner's file and note whether they pass.

        Raises:
            ValueError: there is no such file.
        """
        if not self.file.is_file():
            raise ValueError(f"{paths.shown(self.file)} is not there: `uv run sprints start {self.number}` makes it")
        examination = examine_file(self.folder / "check.py", self.file)
        today = datetime.datetime.now().astimezone().date().isoformat()
        _note(self.number, passed=today if examination.passed else None)
        return examination

    def next_hint(self) -> tuple[int, str]:
        """Return the number of the next hint, and the hint; after the last one they begin anew."""
        read = _notes().get(self.number, {}).get("hints", 0) % len(self.hints)
        _note(self.number, hints=read + 1)
        return read + 1, self.hints[read]


def all_exercises() -> list[Exercise]:
    """Return the exercises of all sprints, in order."""
    return [Exercise(stub.parent) for stub in sorted(paths.SPRINTS.glob("*/exercises/*/stub.py"))]


def find_exercises(number: str) -> list[Exercise]:
    """Return the exercises of a sprint, 06, or the one of a number, 06.2.

    Raises:
        ValueError: there is none; says which there are.
    """
    exercises = all_exercises()
    if match := re.fullmatch(r"(\d+)(?:\.(\d+))?", number):
        sprint, one = f"{int(match[1]):02}", match[2]
        wanted = sprint if one is None else f"{sprint}.{int(one)}"
        chosen = [exercise for exercise in exercises if wanted in (exercise.sprint, exercise.number)]
        if chosen:
            return chosen
    there = ", ".join(exercise.number for exercise in exercises)
    raise ValueError(f"there is no exercise {number!r}; there are {there}")


def _notes() -> dict[str, dict[str, Any]]:
    """Return what is noted about exercises, by their numbers.

    Raises:
        ValueError: the file of the notes holds something else.
    """
    path = paths.RUNS / "exercises.json"
    if not path.is_file():
        return {}
    try:
        return NOTES.validate_json(path.read_bytes())
    except ValidationError:
        raise ValueError(
            f"{paths.shown(path)} holds no notes about exercises: delete it, and `uv run sprints check` finds out anew "
            "what passes"
        ) from None


def _note(number: str, **values: Any) -> None:
    """Note something about an exercise; None takes a note away."""
    notes = _notes()
    entry = notes.get(number, {}) | values
    notes[number] = {name: value for name, value in entry.items() if value is not None}
    write_text(paths.RUNS / "exercises.json", json.dumps(notes, indent=1) + "\n")
