"""What does broadcasting do? A column and a row are stretched until they fit, and gradients are added up again.

    uv run sprints/01_setup_and_basics/stretched_axes.py

Stretching copies nothing: the stride of a stretched axis is 0. Theory: notes/04_broadcasting.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.run import run

COLUMN, ROW = ((10.0,), (20.0,), (30.0,)), (1.0, 2.0, 3.0, 4.0)
# How much a loss rises for each unit that an element of the sum rises: any numbers will do.
SLOPES = ((1.0, 0.0, 2.0, 1.0), (0.0, 1.0, 0.0, 3.0), (2.0, 2.0, 1.0, 0.0))


@dataclass(frozen=True)
class Config(ScriptConfig):
    """Only the options that every script has."""


@dataclass(frozen=True)
class Results:
    total: list[list[float]]
    stretched_strides: list[int]
    slopes: list[list[float]]
    column_gradient: list[list[float]]
    row_gradient: list[float]


def main(config: Config) -> Results:  # noqa: ARG001 (every main takes the options)
    column = torch.tensor(COLUMN, requires_grad=True)  # (3, 1)
    row = torch.tensor(ROW, requires_grad=True)  # (4,)
    total = column + row  # (3, 4)
    slopes = torch.tensor(SLOPES)
    to_column, to_row = torch.autograd.grad((slopes * total).sum(), (column, row))
    stretched = column.expand(3, 4)
    print(f"{tuple(column.shape)} + {tuple(row.shape)} = {tuple(total.shape)}")
    print(f"the column stretched has strides {stretched.stride()}: a step to the right is no step in memory")
    print(f"gradient of the column {to_column.flatten().tolist()}: the sums of the rows of the slopes")
    print(f"gradient of the row {to_row.tolist()}: the sums of their columns")
    return Results(total.tolist(), list(stretched.stride()), slopes.tolist(), to_column.tolist(), to_row.tolist())


def plot(results: Results) -> Figure:
    """Draw both operands with their stretched copies, the sum, and below how gradients come together."""
    figure, axes = drawings.canvas(8.0, 4.9)
    cells, size = drawings.cells, 0.45
    solid, copied = 0.55, 0.12
    column = [[*line] * 4 for line in COLUMN]
    row = [list(ROW)] * 3
    by_column, by_row = [[solid, *[copied] * 3]] * 3, [[solid] * 4, *[[copied] * 4] * 2]
    cells(axes, column, 0.2, 4.35, colour=drawings.QUERY, size=size, strengths=by_column, title="column (3, 1)")
    drawings.text(axes, "+", 2.4, 3.68, size=14)
    cells(axes, row, 2.8, 4.35, colour=drawings.KEY, size=size, strengths=by_row, title="row (4,)")
    drawings.text(axes, "=", 5.0, 3.68, size=14)
    cells(axes, results.total, 5.4, 4.35, colour=drawings.VALUE, size=size, title="sum (3, 4)")
    drawings.text(axes, "dark: what is in memory. Pale: read again, not copied", 4.0, 2.72)
    cells(axes, results.slopes, 0.2, 1.75, colour=drawings.VALUE, size=size, title="gradient of the sum (3, 4)")
    drawings.arrow(axes, (2.15, 1.08), (3.9, 1.08), "add each row")
    cells(axes, results.column_gradient, 4.05, 1.75, colour=drawings.QUERY, size=size)
    drawings.text(axes, "gradient of the column (3, 1)", 4.7, 1.08, align="left")
    drawings.arrow(axes, (1.1, 0.35), (1.1, -0.05))
    drawings.text(axes, "add each column", 1.25, 0.16, align="left")
    cells(axes, [results.row_gradient], 0.2, -0.12, colour=drawings.KEY, size=size)
    drawings.text(axes, "gradient of the row (4,)", 2.2, -0.35, align="left")
    axes.set_ylim(-0.7, 4.75)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
