"""What does pooling keep? A map of 4 x 4, in windows of 2 x 2: the largest value, the mean, or every other value.

    uv run sprints/04_advanced_training_cnn/pool_by_hand.py

The same map moved by one pixel stands below it. Theory: notes/02_receptive_field.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

Table = list[list[float]]

# A filter has found something in two places.
MAP: Table = [
    [1, 0, 0, 0],
    [3, 8, 0, 0],
    [0, 2, 0, 4],
    [0, 0, 2, 6],
]


@dataclass(frozen=True)
class Config(ScriptConfig):
    """The map stands above; nothing can be chosen."""


@dataclass(frozen=True)
class Pooled:
    """A map and what three ways to halve it keep."""

    map: Table
    largest: Table
    mean: Table
    every_other: Table


@dataclass(frozen=True)
class Results:
    still: Pooled
    moved: Pooled


def move_right(table: Table) -> Table:
    """Return a map that is moved by one place; zeros come in on the left."""
    return [[0, *row[:-1]] for row in table]


def windows(table: Table) -> list[list[list[float]]]:
    """Return the values of each window of 2 x 2, the windows in their rows and columns."""
    places = range(0, len(table), 2)
    return [[[*table[row][left : left + 2], *table[row + 1][left : left + 2]] for left in places] for row in places]


def pool(table: Table) -> Pooled:
    cut = windows(table)
    return Pooled(
        map=table,
        largest=[[max(values) for values in row] for row in cut],
        mean=[[sum(values) / 4 for values in row] for row in cut],
        every_other=[[values[0] for values in row] for row in cut],
    )


def main(config: Config) -> Results:  # noqa: ARG001
    results = Results(pool(MAP), pool(move_right(MAP)))
    for name, pooled in (("as it is", results.still), ("moved", results.moved)):
        print(f"{name:<9} largest {pooled.largest}, mean {pooled.mean}, every other {pooled.every_other}")
    return results


def plot(results: Results) -> Figure:
    """Draw both maps, and to the right of each what is kept."""
    size = 0.45
    figure, axes = drawings.canvas(8.2, 4.75)
    for name, pooled, top in (("the map", results.still, 4.2), ("moved by one place", results.moved, 1.9)):
        # One colour for each window
        strengths = [[0.2 + 0.25 * ((i // 2 + j // 2) % 2) for j in range(4)] for i in range(4)]
        drawings.cells(axes, pooled.map, 0.35, top, colour=drawings.QUERY, size=size, strengths=strengths, title=name)
        x, middle = 3.3, top - 2 * size
        drawings.arrow(axes, (2.35, middle), (3.1, middle))
        for title, kept in (
            ("max pooling", pooled.largest),
            ("mean pooling", pooled.mean),
            ("stride 2 alone", pooled.every_other),
        ):
            pale = [[0.2 + 0.25 * ((i + j) % 2) for j in range(2)] for i in range(2)]
            drawings.cells(axes, kept, x + 0.2, middle + size, colour=drawings.VALUE, size=size, strengths=pale,
                           title=title)  # fmt: skip
            x += 1.65
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
