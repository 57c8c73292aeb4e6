"""What does a bottleneck do to the output of a layer, and why is it no matrix? Every number of it.

    uv run sprints/21_adapters_and_prompts/bottleneck_by_hand.py
    uv run sprints/21_adapters_and_prompts/bottleneck_by_hand.py --up 0 0

Two outputs of a frozen layer, one the opposite of the other, go through the same bottleneck of one feature. What a
matrix does to them would be opposite too. Theory: notes/01_bottlenecks.md
"""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

DOWN = (1.0, 1.0)  # (bottleneck, out)
TRAINED = COLOURS[3]


@dataclass(frozen=True)
class Config(ScriptConfig):
    y: tuple[float, float] = (2.0, -1.0)  # what the frozen layer gives
    up: tuple[float, float] = (0.5, -1.0)  # the second matrix of the bottleneck


@dataclass(frozen=True)
class Passage:
    """One output on its way: through the narrow part, and with what was added."""

    y: list[float]
    narrow: float
    active: float
    added: list[float]
    h: list[float]


@dataclass(frozen=True)
class Results:
    up: list[float]
    there: Passage
    opposite: Passage
    stays_opposite: bool


def through(y: torch.Tensor, up: torch.Tensor) -> Passage:
    """Return the steps of h = y + up relu(down y)."""
    narrow = torch.tensor(DOWN) @ y  # two features become one
    active = narrow.relu()
    added = up * active + 0.0  # and two again; no -0
    return Passage(y.tolist(), narrow.item(), active.item(), added.tolist(), (y + added).tolist())


def main(config: Config) -> Results:
    y, up = torch.tensor(config.y), torch.tensor(config.up)
    there, opposite = through(y, up), through(-y, up)
    for passage in (there, opposite):
        print(f"y {passage.y}: down {passage.narrow:g}, relu {passage.active:g}, up {passage.added}, h {passage.h}")
    stays_opposite = all(one == -other for one, other in zip(there.h, opposite.h, strict=True))
    print(f"the opposite input gives the opposite output, as with a matrix: {stays_opposite}")
    return Results(list(config.up), there, opposite, stays_opposite)


def plot(results: Results) -> Figure:
    """Draw both outputs from left to right: down, activation, up, and the way around all of it."""
    figure, axes = drawings.canvas(9.4, 4.3)
    drawings.text(axes, "grey: from the frozen layer    orange: the bottleneck    purple: both together", 4.7, 0.15)
    for passage, y in ((results.there, 3.55), (results.opposite, 1.75)):
        draw(axes, passage, y, first=passage is results.there, up=results.up)
    return figure


def draw(axes: Axes, passage: Passage, y: float, first: bool, up: list[float]) -> None:
    """Draw one passage; y is the upper end of its cells."""
    cells, arrow, middle = drawings.cells, drawings.arrow, y - 0.5
    cells(axes, column(passage.y), 0.4, y, title="y" if first else "")
    arrow(axes, (1.0, middle), (1.75, middle))
    cells(axes, [DOWN], 1.85, middle + 0.25, colour=TRAINED, title="down" if first else "")
    arrow(axes, (2.95, middle), (3.4, middle))
    cells(axes, [[passage.narrow]], 3.5, middle + 0.25, colour=TRAINED)
    arrow(axes, (4.1, middle), (4.8, middle), "ReLU")
    cells(axes, [[passage.active]], 4.9, middle + 0.25, colour=TRAINED)
    arrow(axes, (5.5, middle), (5.85, middle))
    cells(axes, column(up), 5.95, y, colour=TRAINED, title="up" if first else "")
    arrow(axes, (6.55, middle), (6.95, middle))
    cells(axes, column(passage.added), 7.05, y, colour=TRAINED)
    drawings.text(axes, "+", 7.8, middle, size=14)
    arrow(axes, (7.95, middle), (8.3, middle))
    cells(axes, column(passage.h), 8.4, y, colour=drawings.MIXED, title="h" if first else "")
    axes.plot([0.65, 0.65, 7.8, 7.8], [y - 1.05, y - 1.25, y - 1.25, middle - 0.18], color="#444444", linewidth=1.2)


def column(values: list[float]) -> list[list[float]]:
    """Return numbers as a matrix of one column."""
    return [[value] for value in values]


if __name__ == "__main__":
    run(main, Config, plot=plot)
