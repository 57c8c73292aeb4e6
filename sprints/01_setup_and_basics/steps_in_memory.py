"""Where in memory does an element lie? Three views of one memory meet in the same cell.

    uv run sprints/01_setup_and_basics/steps_in_memory.py

The memory holds 10 to 21 at the places 0 to 11, so that one sees which is the place and which the number. The last
line says why a transposed matrix cannot be made flat without a copy. Theory: notes/02_tensors_and_memory.md
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.run import run

# Each view, and the index at which it shows the number 16.
VIEWS: dict[str, tuple[Callable[[Tensor], Tensor], tuple[int, int]]] = {
    "x": (lambda x: x, (1, 2)),
    "x.mT": (lambda x: x.mT, (2, 1)),
    "x[1:, ::2]": (lambda x: x[1:, ::2], (0, 1)),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    """Only the options that every script has."""


@dataclass(frozen=True)
class View:
    name: str
    strides: list[int]
    offset: int
    index: list[int]
    place: int
    rows: list[list[int]]


@dataclass(frozen=True)
class Results:
    memory: list[int]
    views: list[View]
    places_of_transposed: list[int]


def find(view: Tensor, index: tuple[int, ...]) -> int:
    """Return the place in memory: the offset, and for each axis as many strides as the index says."""
    return int(view.storage_offset()) + sum(step * stride for step, stride in zip(index, view.stride(), strict=True))


def main(config: Config) -> Results:  # noqa: ARG001 (every main takes the options)
    memory = torch.arange(10, 22)
    x = memory.view(3, 4)
    views = []
    for name, (make, index) in VIEWS.items():
        view = make(x)
        place = find(view, index)
        views.append(View(name, list(view.stride()), int(view.storage_offset()), list(index), place, view.tolist()))
        steps = " + ".join(f"{step} · {stride}" for step, stride in zip(index, view.stride(), strict=True))
        print(f"{name:<11} strides {view.stride()}, offset {view.storage_offset()}: ", end="")
        print(f"element {index} is at {view.storage_offset()} + {steps} = {place}, which holds {memory[place]}")
    places = [find(x.mT, (row, column)) for row in range(4) for column in range(3)]
    jumps = [after - before for before, after in itertools.pairwise(places)]
    print(f"x.mT, row by row, is at the places {places}: the steps between them are {jumps}")
    return Results(memory.tolist(), views, places)


def plot(results: Results) -> Figure:
    """Draw the memory, the views with the cell they share, and the jumps of the transposed matrix."""
    size = 0.5
    figure, axes = drawings.canvas(8.0, 5.9)
    shared = results.views[0].place
    places = [str(place) for place in range(len(results.memory))]
    strengths = [[0.9 if place == shared else 0.2 for place in range(len(places))]]
    drawings.text(axes, "memory", 0.85, 5.1, bold=True)
    drawings.cells(
        axes, [results.memory], 1.5, 5.35, colour=drawings.QUERY, size=size, strengths=strengths, column_names=places
    )
    drawings.text(axes, "place", 0.85, 5.49)
    for view, left in zip(results.views, (0.6, 3.6, 6.1), strict=True):
        cells = [[0.9 if number == results.memory[shared] else 0.2 for number in row] for row in view.rows]
        width, _ = drawings.cells(axes, view.rows, left, 3.65, colour=drawings.QUERY, size=size, strengths=cells)
        middle = left + width / 2
        drawings.text(axes, view.name, middle, 4.3, bold=True)
        drawings.text(axes, f"strides {tuple(view.strides)}, offset {view.offset}", middle, 4.05)
        name = view.name if view.name != "x.mT" else "(x.mT)"
        steps = " + ".join(f"{step}·{stride}" for step, stride in zip(view.index, view.strides, strict=True))
        below = 3.65 - len(view.rows) * size
        drawings.text(axes, f"{name}{list(view.index)}:", middle, below - 0.2)
        drawings.text(axes, f"place {view.offset} + {steps} = {view.place}", middle, below - 0.45)
    drawings.text(axes, "x.mT read row by row: places", 4.0, 0.85, bold=True)
    order = results.places_of_transposed
    drawings.cells(axes, [order], 1.0, 0.65, colour=drawings.KEY, size=size)
    for number, (before, after) in enumerate(itertools.pairwise(order)):
        drawings.text(axes, f"{after - before:+d}", 1.0 + (number + 1) * size, 0.0, size=8)
    axes.set_ylim(-0.15, 5.75)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
