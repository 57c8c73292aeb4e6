"""What a sprint's pages say, for tests of the numbers that they work out; and its modules by their own names."""

import importlib
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

SPRINTS = Path(__file__).parents[2] / "sprints"


def lesson_texts(sprint: str, minus: str = "−") -> tuple[str, Callable[[int], str]]:
    """Return the page of a sprint's exercises, and a function that returns its note of a number; each in one line.

    Args:
        sprint: its folder.
        minus: stands for the minus signs of the pages.
    """

    def one_line(path: Path) -> str:
        return " ".join(path.read_text(encoding="utf-8").split()).replace("−", minus)

    def note(number: int) -> str:
        (path,) = (SPRINTS / sprint / "notes").glob(f"{number:02}_*.md")
        return one_line(path)

    return one_line(SPRINTS / sprint / "exercises" / "README.md"), note


def shown(text: str, *numbers: float, form: str = ".3f") -> None:
    """Check that a text shows numbers, a minus sign being a minus sign."""
    for number in numbers:
        assert f"{number:{form}}".replace("-", "−") in text or f"{number:{form}}" in text, number


def importable(*sprints: str) -> Any:
    """Return a fixture: what a module tests, and processes that it starts, import scripts and packages of sprints."""

    @pytest.fixture(autouse=True, scope="module")
    def on_path() -> Generator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for sprint in sprints:
                patch.syspath_prepend(str(SPRINTS / sprint))
            yield

    return on_path


def by_name(name: str) -> Any:
    """Return a script or a module of a package under its own name, by which processes find the function they call."""
    return importlib.import_module(name)
