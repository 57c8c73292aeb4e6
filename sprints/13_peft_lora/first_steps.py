"""Why does one factor begin at zero, and only one? The first two steps of training, every number of them.

    uv run sprints/13_peft_lora/first_steps.py
    uv run sprints/13_peft_lora/first_steps.py --a 0 0 0
    uv run sprints/13_peft_lora/first_steps.py --a 0 0 0 --b 0.5 -1

The layer is that of `low_rank_on_paper.py`, and is trained by plain gradient descent on half the squared error. Theory:
notes/02_start_scale_rate.md
"""

from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

W = ((1.0, 0.0, 2.0), (0.0, 1.0, -1.0))  # (out, in), frozen
X = (1.0, 2.0, 1.0)
SCALE = 2.0  # alpha / rank
TARGET = (4.0, 1.0)  # what the layer should give
STEPS = 2
TRAINED, GRADIENT = COLOURS[3], COLOURS[5]


@dataclass(frozen=True)
class Config(ScriptConfig):
    a: tuple[float, float, float] = (1.0, 0.0, 1.0)  # A at the start
    b: tuple[float, float] = (0.0, 0.0)  # B at the start
    learning_rate: PositiveFloat = 0.05  # of gradient descent


@dataclass(frozen=True)
class TrainingStep:
    """The factors before a step, what the layer gives with them, its error, and the gradients."""

    b: list[float]
    a: list[float]
    output: list[float]
    error: list[float]
    gradient_b: list[float]
    gradient_a: list[float]


@dataclass(frozen=True)
class Results:
    steps: list[TrainingStep]
    b: list[float]
    a: list[float]


def main(config: Config) -> Results:
    weight, x, target = torch.tensor(W), torch.tensor(X), torch.tensor(TARGET)
    a = torch.tensor([config.a], requires_grad=True)  # (rank, in)
    b = torch.tensor(config.b)[:, None].requires_grad_()  # (out, rank)
    steps = []
    for number in range(1, STEPS + 1):
        output = weight @ x + SCALE * b @ (a @ x)
        error = output - target
        to_b, to_a = torch.autograd.grad(error.square().sum() / 2, (b, a))
        steps.append(TrainingStep(*(numbers(tensor) for tensor in (b, a, output, error, to_b, to_a))))
        with torch.no_grad():
            b -= config.learning_rate * to_b
            a -= config.learning_rate * to_a
        print(f"step {number}: output {steps[-1].output}, gradient of B {numbers(to_b)}, of A {numbers(to_a)}")
    print(f"then B = {numbers(b)}, A = {numbers(a)}")
    return Results(steps, numbers(b), numbers(a))


def numbers(tensor: Tensor) -> list[float]:
    """Return the numbers of a tensor without the noise of float32."""
    return [round(number, 5) + 0.0 for number in tensor.detach().flatten().tolist()]


def plot(results: Results) -> Figure:
    """Draw a row for each step: the factors, what comes out, the error, and what both factors are told."""
    figure, axes = drawings.canvas(9.6, 4.5)
    cells, arrow = drawings.cells, drawings.arrow
    for row, step in enumerate(results.steps):
        y, first = 3.95 - 1.35 * row, row == 0
        factors(axes, step.b, step.a, f"step {row + 1}", y)
        arrow(axes, (3.45, y - 0.5), (4.15, y - 0.5))
        cells(axes, column(step.output), 4.25, y, colour=drawings.MIXED, title="output" if first else "")
        arrow(axes, (4.85, y - 0.5), (5.55, y - 0.5))
        cells(axes, column(step.error), 5.65, y, title="error" if first else "")
        arrow(axes, (6.25, y - 0.5), (6.75, y - 0.5))
        cells(axes, column(step.gradient_b), 6.95, y, colour=GRADIENT, title="gradient of B" if first else "")
        cells(axes, [step.gradient_a], 7.9, y - 0.25, colour=GRADIENT, title="gradient of A" if first else "")
    factors(axes, results.b, results.a, "then", 3.95 - 1.35 * len(results.steps))
    return figure


def factors(axes: Axes, b: list[float], a: list[float], name: str, y: float) -> None:
    """Draw both factors, with the name of the row on their left."""
    drawings.text(axes, name, 0.85, y - 0.5, align="right", bold=True)
    drawings.cells(axes, column(b), 1.05, y, colour=TRAINED, title="B" if name == "step 1" else "")
    drawings.cells(
        axes, [[f"{value:g}" for value in a]], 1.8, y - 0.25, colour=TRAINED, title="A" if name == "step 1" else ""
    )


def column(values: list[float]) -> list[list[float]]:
    """Return numbers as a matrix of one column."""
    return [[value] for value in values]


if __name__ == "__main__":
    run(main, Config, plot=plot)
