"""What is cross-entropy? Three logits, every number on the way to the loss and back to the gradient.

    uv run sprints/03_models_and_training_loops/loss_by_hand.py
    uv run sprints/03_models_and_training_loops/loss_by_hand.py --label 2

Logits are what a classifier returns: a number for each class. Theory: notes/04_losses.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch.nn import functional

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

Logit = Annotated[float, Field(ge=-50, le=50)]  # so that no exponential overflows


@dataclass(frozen=True)
class Config(ScriptConfig):
    logits: tuple[Logit, Logit, Logit] = (2.0, 1.0, 0.0)  # what the classifier returns for one example
    label: Annotated[int, Field(ge=0, le=2)] = 0  # its class


@dataclass(frozen=True)
class Results:
    logits: list[float]
    label: int
    powers: list[float]
    probabilities: list[float]
    loss: float
    gradient: list[float]
    differs_from_pytorch: float


def main(config: Config) -> Results:
    powers = [math.exp(logit) for logit in config.logits]
    probabilities = [power / sum(powers) for power in powers]
    loss = -math.log(probabilities[config.label])
    truth = [float(index == config.label) for index in range(len(powers))]
    gradient = [said - true for said, true in zip(probabilities, truth, strict=True)]

    logits = torch.tensor([config.logits], dtype=torch.float64, requires_grad=True)
    theirs = functional.cross_entropy(logits, torch.tensor([config.label]))
    theirs.backward()
    assert logits.grad is not None
    differences = [*(logits.grad[0] - torch.tensor(gradient, dtype=torch.float64)).tolist(), theirs.item() - loss]
    for index, row in enumerate(zip(config.logits, powers, probabilities, gradient, strict=True)):
        print("class {}: logit {:g}, exponential {:.3f}, probability {:.3f}, gradient {:+.3f}".format(index, *row))
    print(f"loss {loss:.3f} nats")
    return Results(list(config.logits), config.label, powers, probabilities, loss, gradient, max(map(abs, differences)))


def plot(results: Results) -> Figure:
    """Draw the steps from left to right: logits, exponentials, probabilities, gradient; and below, the loss."""
    figure, axes = drawings.canvas(9.6, 3.2)
    cells, arrow, size, top = drawings.cells, drawings.arrow, 0.52, 2.7
    names = [f"class {index}" + (" (true)" if index == results.label else "") for index in range(3)]
    truth = [float(index == results.label) for index in range(3)]
    columns = (
        ("logits", results.logits, drawings.QUERY),
        ("exponentials", results.powers, drawings.QUERY),
        ("probabilities", results.probabilities, drawings.QUERY),
        ("truth", truth, drawings.VALUE),
        ("gradient", results.gradient, drawings.KEY),
    )
    for index, (title, numbers, colour) in enumerate(columns):
        x = 1.3 + 1.75 * index
        strengths = [[0.15 + 0.6 * p] for p in results.probabilities] if title == "probabilities" else None
        rows = [[round(number, 3)] for number in numbers]
        cells(axes, rows, x, top, colour=colour, size=size, title=title, row_names=() if index else names,
              strengths=strengths)  # fmt: skip
        if index < 2:
            arrow(axes, (x + 0.65, top - 0.78), (x + 1.6, top - 0.78), ("exp", "÷ sum")[index])
        elif index < 4:
            drawings.text(axes, ("−", "=")[index - 2], x + 1.13, top - 0.78, size=14)
    said = results.probabilities[results.label]
    drawings.text(axes, f"loss = −ln {said:.3f} =", 5.15, 0.45, align="right")
    cells(axes, [[round(results.loss, 3)]], 5.3, 0.7, colour=drawings.MIXED, size=size)
    arrow(axes, (5.06, top - 3 * size - 0.04), (5.06, 0.62))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
