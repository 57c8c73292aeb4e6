"""What is recorded in the repository, and which of it is stale: made by other code, data or libraries than today's."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.lab import provenance
from shared.lab.paths import SPRINTS
from shared.lab.results import load_results
from shared.lab.run import Place

# What the command line of a recorded configuration names; the defaults have no preset.
DEFAULT_NAME = "default"


@dataclass(frozen=True)
class Recorded:
    """A results file of the repository, and the script and preset that made it."""

    path: Path
    content: dict[str, Any] = field(repr=False)

    @property
    def script(self) -> Path:
        return self.path.parents[1] / self.content["script"]

    @property
    def preset(self) -> str | None:
        """Return the preset's name as the command spells it, or None for the defaults."""
        name = self.content["command"].rpartition("--record ")[2]
        return None if name == DEFAULT_NAME else name

    @property
    def seconds(self) -> float:
        return self.content["seconds"]

    @property
    def title(self) -> str:
        return f"{self.path.parents[1].name.partition('_')[0]}/{self.path.stem}"

    @property
    def rerun(self) -> Path:
        """Return the results file of the same configuration run again."""
        return Place(self.script).runs(self.preset) / "results.json"

    def changes(self) -> list[str]:
        """Return what has changed since it was made."""
        return provenance.changes(self.content["provenance"], self.script)

    def age(self) -> int:
        """Return the days since it was made."""
        return (datetime.datetime.now(datetime.UTC).date() - datetime.date.fromisoformat(self.content["made"])).days


def recorded_results(selection: str | None = None) -> list[Recorded]:
    """Return the recorded results, cheapest first.

    Args:
        selection: a sprint such as "06", one script or result of it such as "06/why_heads", or None for all.

    Raises:
        ValueError: nothing of that name is recorded.
    """
    sprint, _, name = (selection or "").partition("/")
    chosen = []
    for path in sorted(SPRINTS.glob("*/results/*.json")):
        folder = path.parents[1].name
        if sprint and sprint not in (folder, folder.partition("_")[0]):
            continue
        result = Recorded(path, load_results(path))
        if name.removesuffix(".py") in ("", path.stem, result.script.stem):
            chosen.append(result)
    if not chosen:
        raise ValueError(
            f"there are no recorded results of {selection!r}: name a sprint (06) or a script (06/why_heads)"
        )
    return sorted(chosen, key=lambda result: result.seconds)


def stale_results(results: Iterable[Recorded]) -> Iterator[tuple[Recorded, list[str]]]:
    """Yield the results that rest on something that has changed since, and what that is."""
    for result in results:
        if changed := result.changes():
            yield result, changed


def show_stale(results: Iterable[Recorded]) -> int:
    """Print the results whose code, data or libraries have changed since they were made; return how many."""
    from rich.console import Console
    from rich.table import Table

    table = Table("stale result", "days old", "seconds", "what has changed", header_style="bold")
    cost = 0.0
    for result, changed in stale_results(results):
        table.add_row(result.title, f"{result.age()}", f"{result.seconds:,.0f}", ", ".join(changed))
        cost += result.seconds
    if table.row_count:
        Console(highlight=False).print(table)
        print(f"{table.row_count} stale results; to make them again takes about {cost / 60:,.0f} min")
    else:
        print("no result is stale")
    return table.row_count
