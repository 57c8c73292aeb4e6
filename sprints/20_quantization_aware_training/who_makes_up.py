"""A weight does not lie on the grid. Who can make up for it? A line through three points, every number of it.

    uv run sprints/20_quantization_aware_training/who_makes_up.py
    uv run sprints/20_quantization_aware_training/who_makes_up.py --slope 0.7

The points are y = 0.4 x for x = 1, 2, 3; the model is y = w x + b with w on a grid of 2 bits. Four ways: in float32,
rounded afterwards, with a bias that is learnt while the weight is rounded, and with a step that is learnt. Theory:
notes/07_few_bits_in_a_gpt.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from aware.fake_quantize import fake_quantize
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run

POINTS = (1.0, 2.0, 3.0)
LOWEST, HIGHEST = -2, 1  # 2 bits


@dataclass(frozen=True)
class Config(ScriptConfig):
    slope: Annotated[float, Field(ge=0.1, le=0.9)] = 0.4  # of the points, and so the weight in float32


@dataclass(frozen=True)
class Way:
    """The weight as it computes, the bias, the line at the three points, and the mean squared error."""

    weight: float
    bias: float
    line: list[float]
    loss: float


@dataclass(frozen=True)
class Results:
    points: list[float]
    targets: list[float]
    ways: dict[str, Way]
    gradients: dict[str, float]  # of half the loss, where training begins, by straight-through


def way(targets: list[float], weight: float, bias: float) -> Way:
    line = [weight * x + bias for x in POINTS]
    return Way(weight, bias, line, sum((y - t) ** 2 for y, t in zip(line, targets, strict=True)) / len(POINTS))


def first_gradients(targets: list[float], slope: float) -> dict[str, float]:
    """Return the gradients of the weight, the step and the bias, where the step is 1 and the bias is 0."""
    weight, step, bias = (torch.tensor(number, requires_grad=True) for number in (slope, 1.0, 0.0))
    line = fake_quantize(weight, step, 0, LOWEST, HIGHEST) * torch.tensor(POINTS) + bias
    loss = (line - torch.tensor(targets)).square().mean() / 2
    names = ("weight", "step", "bias")
    return dict(zip(names, (part.item() for part in torch.autograd.grad(loss, (weight, step, bias))), strict=True))


def main(config: Config) -> Results:
    targets = [config.slope * x for x in POINTS]
    rounded = float(max(LOWEST, min(HIGHEST, round(config.slope))))  # with a step of 1
    # The best bias for a slope that is wrong: the line meets the points in their middle.
    bias = sum((config.slope - rounded) * x for x in POINTS) / len(POINTS)
    ways = {
        "float32": way(targets, config.slope, 0.0),
        "rounded afterwards": way(targets, rounded, 0.0),
        "a bias that is learnt": way(targets, rounded, bias),
        "a step that is learnt": way(targets, HIGHEST * config.slope, 0.0),
    }
    for name, found in ways.items():
        print(f"{name}: weight {found.weight:g}, bias {found.bias:g}, mean squared error {found.loss:.3f}")
    gradients = first_gradients(targets, config.slope)
    print("gradients where training begins: " + ", ".join(f"{name} {slope:.3f}" for name, slope in gradients.items()))
    return Results(list(POINTS), targets, ways, gradients)


def plot(results: Results) -> Figure:
    """Draw the points and the line of each way, with what it misses."""
    figure, panels = new_figure(9.6, 3.0, columns=3)
    shown = [name for name in results.ways if name != "float32"]
    for axes, name, colour in zip(panels, shown, ("C3", "C0", "C2"), strict=True):
        found = results.ways[name]
        ends = [0.5, 3.5]
        axes.plot(ends, [found.weight * x + found.bias for x in ends], color=colour)
        axes.vlines(results.points, found.line, results.targets, color=colour, linestyle=":")
        axes.plot(results.points, results.targets, "o", color="black")
        axes.set(title=f"{name}:\nerror {found.loss:.3f}", ylim=(-0.15, 1.6), xlabel="x", ylabel="y")
        words = f"{found.weight:g} x + {found.bias:g}"
        # A flat line has its name between two of the dotted lines.
        place, side = (3.5, "right") if found.weight else (2.5, "center")
        end = (place, found.weight * place + found.bias)
        axes.annotate(words, end, (0, 5), ha=side, textcoords="offset points", color=colour)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
