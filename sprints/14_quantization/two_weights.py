"""Where should the second weight go once the first is rounded? All roundings of two weights, and the path of GPTQ.

    uv run sprints/14_quantization/two_weights.py
    uv run sprints/14_quantization/two_weights.py --second 0.1

The grid is that of the whole numbers. Theory: notes/12_gptq.md
"""

import itertools
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from quantizing.gptq import inverse_factor, round_column
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run
from shared.nn.integer_grid import Grid

INPUTS = ((2.0, 2.0), (0.0, 1.0))  # two tokens with two features
Weight = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    first: Weight = 0.4  # weight of the first feature
    second: Weight = 0.3  # weight of the second feature


@dataclass(frozen=True)
class Results:
    weight: list[float]
    hessian: list[list[float]]
    moved: float  # where the second weight goes when the first is rounded
    nearest: list[float]
    gptq: list[float]
    errors: dict[str, float]


def main(config: Config) -> Results:
    inputs = torch.tensor(INPUTS).double()  # (tokens, inputs)
    weight = torch.tensor([[config.first, config.second]]).double()  # (1, inputs): a row
    hessian = inputs.T @ inputs
    factor = inverse_factor(hessian, damping=0.0)
    one = torch.ones(1, 1).double()
    grid = Grid(one, 0 * one, -8, 7)  # a step of 1
    row = weight.clone()
    _, first = round_column(row, factor, 0, grid)
    moved = row[0, 1].item()
    _, second = round_column(row, factor, 1, grid)
    errors = {}
    for corner in itertools.product((0.0, 1.0), repeat=2):
        outputs = inputs @ (weight[0] - torch.tensor(corner).double())
        errors[f"{corner[0]:g}, {corner[1]:g}"] = outputs.square().sum().item()
    print(f"H = {hessian.tolist()}; the second weight moves from {config.second:g} to {moved:.2f}")
    for corner, error in errors.items():
        print(f"({corner}): squared error of the outputs {error:.2f}")
    nearest, gptq = weight[0].round().tolist(), [float(first), float(second)]
    print(f"to the nearest: {nearest}, GPTQ: {gptq}")
    return Results(weight[0].tolist(), hessian.tolist(), moved, nearest, gptq, errors)


def plot(results: Results) -> Figure:
    """Draw the two weights as a plane, lines of equal error, and where either way ends."""
    figure, axes = new_figure(6.4, 4.6)
    first, second = torch.meshgrid(torch.linspace(-0.4, 1.5, 120), torch.linspace(-0.4, 1.5, 120), indexing="xy")
    x, y = first - results.weight[0], second - results.weight[1]
    (a, b), (_, c) = results.hessian
    error = a * x * x + 2 * b * x * y + c * y * y
    lines = axes.contour(
        first, second, error, levels=[0.1, 0.45, 0.85, 2.05, 4, 7.25], colors="#999999", linewidths=0.9
    )
    axes.clabel(lines, fontsize=7)
    for corner, value in results.errors.items():
        place = tuple(float(part) for part in corner.split(", "))
        axes.plot(*place, "o", color="black", markersize=5)
        axes.annotate(f"({corner}): {value:.2f}", place, xytext=(6, -12), textcoords="offset points", fontsize=8)
    start, pulled = tuple(results.weight), (results.gptq[0], results.moved)
    axes.plot(*start, "s", color=COLOURS[0])
    axes.annotate("weights", start, xytext=(8, 2), textcoords="offset points", color=COLOURS[0])
    arrow = {"arrowstyle": "-|>", "linewidth": 1.6}
    axes.annotate("", tuple(results.nearest), start, arrowprops=arrow | {"color": COLOURS[3]})
    for begin, end in ((start, pulled), (pulled, tuple(results.gptq))):
        axes.annotate("", end, begin, arrowprops=arrow | {"color": COLOURS[2]})
    axes.text(-0.36, 0.1, "to the nearest", color=COLOURS[3], fontsize=9)
    axes.text(-0.36, 0.78, "GPTQ", color=COLOURS[2], fontsize=9)
    axes.set(xlabel="first weight", ylabel="second weight", xlim=(-0.4, 1.5), ylim=(-0.4, 1.5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
