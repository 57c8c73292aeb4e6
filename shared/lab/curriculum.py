"""The sprints: what each teaches, what a learner has done, and what is next."""

import re
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from shared.lab import paths
from shared.lab.exercises import Exercise, all_exercises

# A row of the table in the README of the repository, which says what each sprint teaches.
ROW = re.compile(r"^\| \[(?P<number>\d+)\]\((?P<page>sprints/\S+)\) \| (?P<teaches>.+?) \|$", re.MULTILINE)
TITLE = re.compile(r"^# Sprint \d+: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Sprint:
    """A sprint of the curriculum and its code exercises."""

    number: int
    title: str
    teaches: str
    exercises: list[Exercise]

    @property
    def done(self) -> str:
        """Return how many of its exercises have passed; nothing if it has none."""
        passed = sum(exercise.passed for exercise in self.exercises)
        return f"{passed} of {len(self.exercises)}" if self.exercises else ""


def all_sprints() -> list[Sprint]:
    """Return the sprints in order.

    Raises:
        ValueError: a page of the README's table has no title of a sprint.
    """
    exercises, sprints = all_exercises(), []
    for row in ROW.finditer((paths.ROOT / "README.md").read_text(encoding="utf-8")):
        title = TITLE.search((paths.ROOT / row["page"]).read_text(encoding="utf-8"))
        if title is None:
            raise ValueError(f"{row['page']} must begin with `# Sprint {row['number']}: ` and its title")
        own = [exercise for exercise in exercises if int(exercise.sprint) == int(row["number"])]
        sprints.append(Sprint(int(row["number"]), title[1], row["teaches"], own))
    return sprints


def next_exercise(exercises: list[Exercise]) -> Exercise | None:
    """Return the first exercise that has not passed, of those that the learner has begun before all others."""
    open_ones = [exercise for exercise in exercises if not exercise.passed]
    begun = [exercise for exercise in open_ones if exercise.file.is_file()]
    return next(iter([*begun, *open_ones]), None)


def show_curriculum(sprints: list[Sprint], console: Console) -> None:
    """Show the sprints as a table, and what is next."""
    table = Table("", "sprint", "what it teaches", "exercises", box=None, pad_edge=False, header_style="bold")
    for sprint in sprints:
        finished = bool(sprint.exercises) and all(exercise.passed for exercise in sprint.exercises)
        row = (str(sprint.number), sprint.title, sprint.teaches, sprint.done)
        table.add_row(*row, style="green" if finished else None)
    console.print(table)
    exercise = next_exercise([exercise for sprint in sprints for exercise in sprint.exercises])
    if exercise is None:
        console.print("\nAll exercises pass.")
        return
    verb = "check" if exercise.file.is_file() else "start"
    command = f"uv run sprints {verb} {exercise.number}"
    console.print(f"\nNext: {exercise.number} {exercise.title}, `{command}`", highlight=False, soft_wrap=True)
