"""What a sprint's pages say, for tests of the numbers that they work out by hand."""

from collections.abc import Callable
from pathlib import Path

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
