"""Who shares a grid? A small matrix at 4 bits, with one grid for all, one for each row, and one for each pair.

    uv run sprints/14_quantization/who_shares_a_grid.py
    uv run sprints/14_quantization/who_shares_a_grid.py --bits 8

The second row has numbers ten times as large as the first. Theory: notes/04_rounding_weights.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.integer_grid import fake_quantize

WEIGHT = ((0.3, -0.2, 0.1, 0.4), (6.0, -4.1, 2.2, 3.0))
PER = {"one grid": "tensor", "a grid for each row": "channel", "a grid for each pair": "group"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    bits: Annotated[int, Field(ge=2, le=8)] = 4  # size of the integers


@dataclass(frozen=True)
class Results:
    weight: list[list[float]]
    rounded: dict[str, list[list[float]]]
    error_of_rows: dict[str, list[float]]


def main(config: Config) -> Results:
    weight = torch.tensor(WEIGHT)  # (outputs, inputs)
    rounded, errors = {}, {}
    for name, per in PER.items():
        back = fake_quantize(weight, config.bits, per, group=2)  # ty: ignore[invalid-argument-type]
        rounded[name] = back.tolist()
        # How large the error of a row is beside the row.
        errors[name] = ((back - weight).norm(dim=1) / weight.norm(dim=1)).tolist()
        print(f"{name}: relative error of the rows " + ", ".join(f"{error:.1%}" for error in errors[name]))
    return Results(weight.tolist(), rounded, errors)


def plot(results: Results) -> Figure:
    """Draw the matrix and what each way makes of it; colours say who shares a grid."""
    figure, axes = drawings.canvas(9.6, 2.6)
    drawings.cells(axes, results.weight, 0.35, 1.9, size=0.5, title="weights")
    shades = {
        "one grid": [[0.25] * 4] * 2,
        "a grid for each row": [[0.15] * 4, [0.5] * 4],
        "a grid for each pair": [[0.1, 0.1, 0.3, 0.3], [0.5, 0.5, 0.68, 0.68]],
    }
    for index, (name, rows) in enumerate(results.rounded.items()):
        x = 2.7 + 2.35 * index
        shown = [[f"{number:.2f}" for number in row] for row in rows]
        drawings.cells(axes, shown, x, 1.9, size=0.5, colour=drawings.KEY, strengths=shades[name], title=name)
        worst = ", ".join(f"{error:.0%}" for error in results.error_of_rows[name])
        drawings.text(axes, f"rows are off by {worst}", x + 1.0, 0.6)
    drawings.text(axes, "numbers of one shade share a grid", 6.0, 0.25)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
