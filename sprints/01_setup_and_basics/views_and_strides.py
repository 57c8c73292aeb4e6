"""What is a tensor in memory? One row of numbers, an offset, and a stride for each axis.

    uv run sprints/01_setup_and_basics/views_and_strides.py

`read` looks elements up in memory by hand and finds what PyTorch finds, for every kind of view.
Theory: notes/02_tensors_and_memory.md
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    """Only the options that every script has."""


@dataclass(frozen=True)
class View:
    shape: list[int]
    strides: list[int]
    offset: int
    shares_memory: bool
    contiguous: bool
    elements: list[int]
    read_right: bool


@dataclass(frozen=True)
class Results:
    views: dict[str, View]


VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "x": lambda x: x,
    "x.mT": lambda x: x.mT,
    "x[1]": lambda x: x[1],
    "x[1:, ::2]": lambda x: x[1:, ::2],
    "x.diagonal()": lambda x: x.diagonal(),
    "x[:, :1].expand(3, 4)": lambda x: x[:, :1].expand(3, 4),
    "x.flatten().unfold(0, 4, 2)": lambda x: x.flatten().unfold(0, 4, 2),
    "x.unflatten(1, (2, 2))": lambda x: x.unflatten(1, (2, 2)),
    "x.mT.reshape(2, 6)": lambda x: x.mT.reshape(2, 6),
    "x.flip(0)": lambda x: x.flip(0),
    "x[[0, 2]]": lambda x: x[[0, 2]],
}


def read(memory: Sequence[float], offset: int, strides: Sequence[int], index: Sequence[int]) -> float:
    """Return the element at an index: position = offset + sum of index * stride."""
    return memory[offset + sum(steps * stride for steps, stride in zip(index, strides, strict=True))]


def describe(x: Tensor, view: Tensor) -> View:
    """Return how a view lies in memory, and whether reading by hand finds its elements."""
    shares = view.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    memory = torch.tensor([]).to(view).set_(view.untyped_storage()).tolist()
    indices = itertools.product(*map(range, view.shape))
    offset = int(view.storage_offset())
    by_hand = [read(memory, offset, view.stride(), index) for index in indices]
    elements = view.flatten().tolist()
    return View(
        shape=list(view.shape),
        strides=list(view.stride()),
        offset=offset,
        shares_memory=shares,
        contiguous=view.is_contiguous(),
        elements=elements,
        read_right=by_hand == elements,
    )


def main(config: Config) -> Results:  # noqa: ARG001 (every main takes the options)
    x = torch.arange(12).view(3, 4)  # each element is its own position in memory
    views = {name: describe(x, make(x)) for name, make in VIEWS.items()}
    for name, view in views.items():
        kind = "view" if view.shares_memory else "copy"
        print(f"{name:<28} {kind}  shape {view.shape!s:<10} strides {view.strides!s:<10} offset {view.offset}")
    return Results(views)


def plot(results: Results) -> Figure:
    """Draw which place in memory each element of a view is."""
    figure, axes = new_figure(9, 6.4, rows=2, columns=4)
    drawn = [name for name, view in results.views.items() if view.shares_memory][:8]
    for panel, name in zip(axes.flat, drawn, strict=True):
        view = results.views[name]
        grid = np.array(view.elements).reshape(-1, view.shape[-1])
        panel.imshow(grid, cmap="viridis", vmin=0, vmax=11, aspect="equal")
        for (row, column), position in np.ndenumerate(grid):
            panel.text(column, row, position, ha="center", va="center", color="white" if position < 7 else "black")
        panel.set(xlim=(-0.5, 3.5), ylim=(5.5, -0.5))  # cells of one size in all panels
        panel.set_title(f"{name}\nstrides {tuple(view.strides)}, offset {view.offset}", fontsize=9, loc="left")
        panel.axis("off")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
