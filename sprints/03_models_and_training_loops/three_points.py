"""How does a model learn? A line through three points, every number of two steps of gradient descent.

    uv run sprints/03_models_and_training_loops/three_points.py
    uv run sprints/03_models_and_training_loops/three_points.py --learning-rate 0.2 --steps 4

The model has one parameter, the slope of a line through the origin. Its loss is a parabola, so that the best slope is
known, and so is the learning rate beyond which the steps grow. Theory: notes/01_a_line_through_three_points.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run

INPUTS, TARGETS = (1.0, 2.0, 3.0), (1.0, 4.0, 4.0)
Rate = Annotated[float, Field(gt=0, le=1)]  # so that what grows stays a number
Steps = Annotated[int, Field(ge=1, le=50)]
Slope = Annotated[float, Field(ge=-10, le=10)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    learning_rate: Rate = 0.05  # learning rate
    steps: Steps = 2  # steps of gradient descent
    weight: Slope = 0.0  # slope to start from


@dataclass(frozen=True)
class Results:
    learning_rate: float
    weights: list[float]
    errors: list[list[float]]
    losses: list[float]
    gradients: list[float]
    by_autograd: float
    best_weight: float
    best_loss: float
    curvature: float
    largest_learning_rate: float


def errors_of(weight: float) -> list[float]:
    """Return prediction minus target for each point."""
    return [weight * x - y for x, y in zip(INPUTS, TARGETS, strict=True)]


def loss_of(weight: float) -> float:
    """Return the mean of the squared errors."""
    return sum(error * error for error in errors_of(weight)) / len(INPUTS)


def gradient_of(weight: float) -> float:
    """Return the slope of the loss: the mean of 2 * error * input."""
    return sum(2 * error * x for error, x in zip(errors_of(weight), INPUTS, strict=True)) / len(INPUTS)


def main(config: Config) -> Results:
    weights = [config.weight]
    for _ in range(config.steps):
        weights.append(weights[-1] - config.learning_rate * gradient_of(weights[-1]))
    for step, weight in enumerate(weights):
        print(f"after {step} steps: slope {weight:.4f}, loss {loss_of(weight):.4f}, gradient {gradient_of(weight):.4f}")

    weight = torch.tensor(config.weight, dtype=torch.float64, requires_grad=True)
    loss = (weight * torch.tensor(INPUTS) - torch.tensor(TARGETS)).square().mean()
    loss.backward()
    assert weight.grad is not None
    squares = sum(x * x for x in INPUTS)
    best = sum(x * y for x, y in zip(INPUTS, TARGETS, strict=True)) / squares
    curvature = 2 * squares / len(INPUTS)
    print(
        f"autograd's first gradient {weight.grad.item():.4f}; the best slope {best:.4f}, its loss {loss_of(best):.4f}"
    )
    return Results(
        learning_rate=config.learning_rate,
        weights=weights,
        errors=[errors_of(weight) for weight in weights],
        losses=[loss_of(weight) for weight in weights],
        gradients=[gradient_of(weight) for weight in weights],
        by_autograd=weight.grad.item(),
        best_weight=best,
        best_loss=loss_of(best),
        curvature=curvature,
        largest_learning_rate=2 / curvature,
    )


def plot(results: Results) -> Figure:
    """Draw the line after each step beside the points, and the steps on the curve of the loss."""
    figure, (left, right) = new_figure(9.0, 3.8, columns=2)
    shown = list(enumerate(results.weights))[:5]
    for step, weight in shown:
        colour = f"C{step}"
        left.plot([0, 3.3], [0, 3.3 * weight], color=colour)
        left.text(3.35, 3.3 * weight, f"after {step}" if step else "before", color=colour, va="center")
    first = results.weights[0]
    for x, y in zip(INPUTS, TARGETS, strict=True):
        left.plot([x, x], [first * x, y], color="C0", linestyle=":")
    left.plot(INPUTS, TARGETS, "ko", label="data")
    left.set(xlabel="input x", ylabel="target y and prediction w x", xlim=(0, 4.2))
    left.legend(loc="upper left")

    ends = [*results.weights, results.best_weight]
    low, high = min(ends) - 0.4, max(ends) + 0.7
    curve = torch.linspace(low, high, 100, dtype=torch.float64).tolist()
    right.plot(curve, [loss_of(weight) for weight in curve], color="0.6")
    right.plot(results.weights, results.losses, color="0.3", linestyle="--", linewidth=1)
    for step, weight in shown:
        right.plot(weight, loss_of(weight), "o", color=f"C{step}")
        right.annotate(f"w = {weight:.3g}", (weight, loss_of(weight)), (8, 4), textcoords="offset points")
    right.plot(results.best_weight, results.best_loss, "k*", markersize=10)
    right.annotate(f"best: {results.best_weight:g}", (results.best_weight, results.best_loss), (0, -13),
                   textcoords="offset points", ha="center")  # fmt: skip
    right.set(
        xlabel="weight w", ylabel="loss: mean squared error", ylim=(-0.9 * max(1.0, results.losses[0] / 10), None)
    )
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
