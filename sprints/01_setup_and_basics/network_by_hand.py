"""What does one training step compute? A network of two inputs and two hidden units, every number forwards and back.

    uv run sprints/01_setup_and_basics/network_by_hand.py
    uv run sprints/01_setup_and_basics/network_by_hand.py --learning-rate 0.1

One example, so that all of it fits on paper. `one_hidden_layer.py` does the same for many examples at once.
Theory: notes/09_one_hidden_layer.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import NonNegativeFloat
from shared.lab.run import run

Number = Annotated[float, Field(ge=-1e6, le=1e6)]
HIDDEN_WEIGHT, OUTPUT_WEIGHT = ((0.5, -1.0), (0.25, 0.5)), ((1.0, -1.0), (0.5, 1.0))


@dataclass(frozen=True)
class Config(ScriptConfig):
    inputs: tuple[Number, Number] = (1.0, 2.0)  # the two features of the example
    learning_rate: NonNegativeFloat = 0.5  # of the step downhill


@dataclass(frozen=True)
class Results:
    forward: dict[str, list[float]]
    loss: float
    backward: dict[str, list[float]]
    hidden_weight_gradient: list[list[float]]
    output_weight_gradient: list[list[float]]
    difference_to_autograd: float
    loss_after: float


def forward(inputs: Tensor, hidden_weight: Tensor, output_weight: Tensor) -> dict[str, Tensor]:
    """Return every number on the way to the loss; the right class is 1, and the biases are 0."""
    sums = inputs @ hidden_weight  # (2,)
    hidden = sums.tanh()  # (2,)
    logits = hidden @ output_weight  # (2,)
    probabilities = logits.exp() / logits.exp().sum()  # (2,)
    return {
        "sums": sums,
        "hidden": hidden,
        "logits": logits,
        "probabilities": probabilities,
        "loss": -probabilities[1].log(),
    }


def backward(found: dict[str, Tensor], inputs: Tensor, output_weight: Tensor) -> dict[str, Tensor]:
    """Return the gradient of the loss by every number, in the opposite order."""
    logits = found["probabilities"] - torch.tensor([0.0, 1.0], dtype=torch.float64)  # probability minus truth
    hidden = output_weight @ logits
    sums = hidden * (1 - found["hidden"] ** 2)
    return {
        "logits": logits,
        "hidden": hidden,
        "sums": sums,
        "output_weight": torch.outer(found["hidden"], logits),
        "hidden_weight": torch.outer(inputs, sums),
    }


def main(config: Config) -> Results:
    inputs = torch.tensor(config.inputs, dtype=torch.float64)
    first = torch.tensor(HIDDEN_WEIGHT, dtype=torch.float64, requires_grad=True)
    second = torch.tensor(OUTPUT_WEIGHT, dtype=torch.float64, requires_grad=True)
    found = forward(inputs, first, second)
    by_autograd = torch.autograd.grad(found["loss"], (first, second))
    found = {name: numbers.detach() for name, numbers in found.items()}
    back = backward(found, inputs, second.detach())
    ours = (back["hidden_weight"], back["output_weight"])
    difference = max((a - b).abs().max().item() for a, b in zip(ours, by_autograd, strict=True))
    for name, numbers in found.items():
        print(f"{name:<14} {[round(number, 3) for number in numbers.flatten().tolist()]}")
    for name, numbers in back.items():
        print(f"gradient of {name:<14} {[round(number, 3) for number in numbers.flatten().tolist()]}")
    rate = config.learning_rate
    after = forward(inputs, first.detach() - rate * ours[0], second.detach() - rate * ours[1])["loss"].item()
    print(f"autograd differs by {difference:.0e}; after one step the loss is {after:.3f} for {found['loss']:.3f}")
    return Results(
        forward={"inputs": list(config.inputs)}
        | {name: numbers.tolist() for name, numbers in found.items() if name != "loss"},
        loss=found["loss"].item(),
        backward={name: back[name].tolist() for name in ("sums", "hidden", "logits")},
        hidden_weight_gradient=back["hidden_weight"].tolist(),
        output_weight_gradient=back["output_weight"].tolist(),
        difference_to_autograd=difference,
        loss_after=after,
    )


def plot(results: Results) -> Figure:
    """Draw the numbers from left to right, and under each its gradient; the weights stand where they multiply."""
    figure, axes = drawings.canvas(9.8, 3.7)
    size = 0.5

    def matrix(rows: list[list[float]], x: float, y: float, colour: str, title: str) -> None:
        shown = [[f"{number + 0.0:.2f}" for number in row] for row in rows]  # + 0.0: no minus zero
        drawings.cells(axes, shown, x, y, colour=colour, size=size, title=title)

    def column(numbers: list[float], x: float, y: float, colour: str, title: str) -> None:
        matrix([[number] for number in numbers], x, y, colour, title)

    weight, number, back = drawings.VALUE, drawings.QUERY, drawings.KEY
    for name, x in (("inputs", 0.45), ("sums", 3.2), ("hidden", 4.45), ("logits", 7.2), ("probabilities", 8.45)):
        column(results.forward[name], x, 3.1, number, name)
    for name, rows, x in (("hidden weight", HIDDEN_WEIGHT, 1.6), ("output weight", OUTPUT_WEIGHT, 5.6)):
        matrix([list(row) for row in rows], x, 3.1, weight, name)
    for name, x in (("sums", 3.2), ("hidden", 4.45), ("logits", 7.2)):
        column(results.backward[name], x, 1.3, back, name)
    matrix(results.hidden_weight_gradient, 1.6, 1.3, back, "hidden weight")
    matrix(results.output_weight_gradient, 5.6, 1.3, back, "output weight")
    column([0.0, 1.0], 8.45, 1.3, drawings.TOKEN, "truth")
    for start, end, words in ((1.0, 1.55, ""), (2.65, 3.15, ""), (3.75, 4.4, "tanh"), (5.0, 5.55, ""), (6.65, 7.15, ""),
                              (7.75, 8.4, "softmax")):  # fmt: skip
        drawings.arrow(axes, (start, 2.6), (end, 2.6), words)
    for start, end in ((8.4, 7.75), (7.15, 6.65), (5.55, 5.0), (4.4, 3.75), (3.15, 2.65)):
        drawings.arrow(axes, (start, 0.8), (end, 0.8))
    drawings.text(axes, f"loss = −ln {results.forward['probabilities'][1]:.3f} = {results.loss:.2f}", 8.7, 1.87)
    drawings.text(axes, "gradients, from right to left", 0.1, 0.12, align="left", bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
