"""Twelve objects on four pages: which pages does a worker copy that reads four of the objects? All 495 ways counted.

    uv run sprints/23_loader_memory/pages_by_hand.py
    uv run sprints/23_loader_memory/pages_by_hand.py --chosen 0 1 2 3

No process is started. Theory: notes/01_a_list_that_grows.md
"""

import itertools
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from memory_study.layouts import private_share
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import NonNegativeInt, PositiveInt
from shared.lab.run import run

SHARED, OWN = COLOURS[5], COLOURS[3]
WIDTH = 0.6  # of an object and its part of the gap, in inches


@dataclass(frozen=True)
class Config(ScriptConfig):
    pages: PositiveInt = 4  # pages of the list's objects
    to_a_page: PositiveInt = 3  # objects on each
    chosen: tuple[NonNegativeInt, ...] = (1, 5, 4, 9)  # objects that the worker reads

    def check(self) -> None:
        objects = self.pages * self.to_a_page
        if len(set(self.chosen)) < len(self.chosen) or max(self.chosen, default=0) >= objects:
            raise ValueError(f"--chosen must be different objects from 0 to {objects - 1}; got {self.chosen}")
        if objects > 24:
            raise ValueError(f"every way to choose is counted: at most 24 objects; got {objects}")


@dataclass(frozen=True)
class Results:
    pages: int
    to_a_page: int
    chosen: list[int]
    copied: list[int]
    ways: int
    mean_share: float  # over all ways to choose as many
    formula: float


def copied_pages(chosen: tuple[int, ...], to_a_page: int) -> list[int]:
    """Return the pages that hold at least one of the chosen objects."""
    return sorted({number // to_a_page for number in chosen})


def main(config: Config) -> Results:
    objects = config.pages * config.to_a_page
    copied = copied_pages(config.chosen, config.to_a_page)
    ways = list(itertools.combinations(range(objects), len(config.chosen)))
    mean = sum(len(copied_pages(way, config.to_a_page)) for way in ways) / len(ways) / config.pages
    formula = private_share(len(config.chosen) / objects, config.to_a_page)
    print(f"objects {config.chosen} are read: pages {copied} become the worker's own")
    print(f"over all {len(ways)} ways to read {len(config.chosen)} objects: {mean:.3f} of the pages")
    print(f"1 - (1 - f)^m with f = {len(config.chosen)}/{objects} and m = {config.to_a_page}: {formula:.3f}")
    return Results(config.pages, config.to_a_page, list(config.chosen), copied, len(ways), mean, formula)


def plot(results: Results) -> Figure:
    """Draw the pages before and after: what parent and worker share, and what the worker has copied."""
    after = [
        [1 + (page * results.to_a_page + number in results.chosen) for number in range(results.to_a_page)]
        for page in range(results.pages)
    ]
    first = [[1] * results.to_a_page for _ in range(results.pages)]
    figure, axes = drawings.canvas(2.0 + results.pages * WIDTH * results.to_a_page, 2.75)
    draw(axes, "after the fork:\none memory for both", 2.3, first, list(range(results.pages)), SHARED)
    kept = [page for page in range(results.pages) if page not in results.copied]
    draw(axes, "the worker has read:\nits own copies (orange)", 0.95, after, results.copied, OWN)
    draw(axes, "", 0.95, after, kept, SHARED)
    words = f"cells: reference counts of the objects.  Read: objects {', '.join(map(str, results.chosen))}"
    drawings.text(axes, words, 0.1, 0.12, align="left")
    return figure


def draw(axes: Axes, words: str, y: float, counts: list[list[int]], pages: list[int], colour: str) -> None:
    """Draw some pages of a row with the reference count of each object; y is the upper end of the cells."""
    drawings.text(axes, words, 0.1, y - 0.3, align="left")
    for page in pages:
        strengths = [[0.8 if count > 1 else 0.25 for count in counts[page]]]
        x = 2.0 + page * WIDTH * len(counts[page])
        drawings.cells(axes, [counts[page]], x, y, size=0.5, colour=colour, strengths=strengths, title=f"page {page}")


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
