"""Checks of `fit_line`: beside gradients by formula, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def descend(
    inputs: Tensor,
    targets: Tensor,
    learning_rate: float,
    steps: int,
    *,
    factor: float = 1.0,
    momentum: float = 0.0,
    moves: tuple[float, float] = (1.0, 1.0),
) -> Tensor:
    """Return where gradient descent arrives; the gradient is 2 mean(error * input) and 2 mean(error)."""
    line, velocity = torch.zeros(2), torch.zeros(2)
    for _ in range(steps):
        error = line[0] * inputs + line[1] - targets
        gradient = factor * 2 * torch.stack([(error * inputs).mean(), error.mean()])
        velocity = momentum * velocity + gradient
        line = line - learning_rate * velocity * torch.tensor(moves)
    return line


def compare(learner: Any, inputs: Tensor, targets: Tensor, learning_rate: float, steps: int) -> None:
    given = {"inputs": inputs, "targets": targets, "learning_rate": learning_rate, "steps": steps}
    count = float(len(inputs))
    arguments = (inputs, targets, learning_rate, steps)
    mistakes = {
        "The gradients of earlier steps are still in line.grad: empty it after each step.": (
            descend(*arguments, momentum=1.0)
        ),
        "It goes uphill: subtract the gradient.": descend(*arguments, factor=-1.0),
        "The loss is the sum of the squares; it must be their mean.": descend(*arguments, factor=count),
        "The learning rate is not used.": descend(inputs, targets, 1.0, steps),
        "The differences are not squared: their mean has no lowest point.": (
            -learning_rate * steps * torch.stack([inputs.mean(), torch.ones(())])
        ),
        "The intercept does not move.": descend(*arguments, moves=(1.0, 0.0)),
        "The slope does not move.": descend(*arguments, moves=(0.0, 1.0)),
        "It makes one step only.": descend(inputs, targets, learning_rate, 1),
        "It makes one step too many.": descend(inputs, targets, learning_rate, steps + 1),
        "It makes no step.": torch.zeros(2),
        "The gradient is half as long as it should be: is the loss the mean of the squares?": (
            descend(*arguments, factor=0.5)
        ),
    }
    expect(learner.fit_line, given, descend(*arguments), mistakes)


def check_one_step(learner: Any) -> None:
    """One step on two points: on paper, the gradient of slope and intercept at (0, 0) is (-8, -5)."""
    compare(learner, torch.tensor([1.0, 2.0]), torch.tensor([2.0, 3.0]), 0.1, 1)


def check_three_steps(learner: Any) -> None:
    """Three steps, where forgotten gradients begin to show."""
    compare(learner, torch.tensor([0.0, 1.0, 2.0]), torch.tensor([1.0, 3.0, 5.0]), 0.1, 3)


def check_arrives(learner: Any) -> None:
    """After 300 steps the line goes through points that lie on a line: slope 2, intercept 1."""
    compare(learner, torch.tensor([0.0, 1.0, 2.0]), torch.tensor([1.0, 3.0, 5.0]), 0.2, 300)
