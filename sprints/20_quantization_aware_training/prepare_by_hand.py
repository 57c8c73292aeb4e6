"""What happens to a weight when a model is prepared, trained and converted? Two words, one table, one step.

    uv run sprints/20_quantization_aware_training/prepare_by_hand.py
    uv run sprints/20_quantization_aware_training/prepare_by_hand.py --rate 0.1

The table of two words is the embedding and the output layer. It is rounded to 3 bits with a step of 0.2 in both places.
Theory: notes/04_prepare_train_convert.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

WORDS = ("salt", "pepper")
TABLE = ((0.45, -0.25), (0.58, 0.12))  # a row for each word
STEP, LOWEST, HIGHEST = 0.2, -4, 3  # 3 bits


@dataclass(frozen=True)
class Config(ScriptConfig):
    rate: PositiveFloat = 0.3  # learning rate of the one step


@dataclass(frozen=True)
class Results:
    gradient_of_head: list[list[float]]
    gradient_of_embedding: list[list[float]]
    tables: list[list[list[float]]]
    integers: list[list[list[int]]]
    logits: list[list[float]]
    losses: list[float]
    products: list[int]
    converted_logits: list[float]


def integers_of(table: Tensor) -> Tensor:
    """Return the integers of a table, as floating-point numbers."""
    return (table / STEP).round().clamp(LOWEST, HIGHEST)


def rounded(table: Tensor) -> Tensor:
    """Return the rounded table; its gradient goes on to the table as it is, for nothing here lies outside."""
    return table + (integers_of(table) * STEP - table).detach()


def logits_after_salt(embedding: Tensor, head: Tensor) -> Tensor:
    """Return the logits of both words after "salt", by the rounded tables."""
    return rounded(head) @ rounded(embedding)[0]


def main(config: Config) -> Results:
    table, target = torch.tensor(TABLE), torch.tensor(1)  # after "salt" comes "pepper"
    tables, logits, losses = [table], [], []
    places: tuple[Tensor, ...] = ()
    for step in range(2):
        # Twice the same table, so that the gradient of each place can be seen on its own.
        embedding, head = (tables[-1].clone().requires_grad_() for _ in range(2))
        predicted = logits_after_salt(embedding, head)
        loss = functional.cross_entropy(predicted, target)
        logits.append(predicted.tolist())
        losses.append(loss.item())
        if step == 0:
            places = torch.autograd.grad(loss, (head, embedding))
            tables.append(table - config.rate * (places[0] + places[1]))
    integers = [integers_of(each).int() for each in tables]
    # Converted: the integers and the step are all there is, and products of integers are integers.
    products = integers[1] @ integers[1][0]
    results = Results(
        gradient_of_head=places[0].tolist(),
        gradient_of_embedding=places[1].tolist(),
        tables=[each.tolist() for each in tables],
        integers=[each.tolist() for each in integers],
        logits=logits,
        losses=losses,
        products=products.tolist(),
        converted_logits=(products * STEP**2).tolist(),
    )
    for name, number in (("before", 0), ("after", 1)):
        print(
            f"{name:<7}integers {results.integers[number]}, logits {logits[number][0]:.2f} {logits[number][1]:.2f}, ",
            end="",
        )
        print(f"loss {losses[number]:.4f}")
    print(f"converted: {results.products} times {STEP**2:.2f} is ", end="")
    print(" ".join(f"{logit:.2f}" for logit in results.converted_logits))
    return results


def plot(results: Results) -> Figure:
    """Draw the table before training, after a step, and converted, from top to bottom."""
    figure, axes = drawings.canvas(8.8, 4.9)
    size = 0.58
    for number, name in enumerate(("prepared", "after one step", "converted")):
        y = 4.35 - 1.5 * number
        at = min(number, 1)
        drawings.text(axes, name, 1.35, y - size, align="right", bold=True)
        integers = results.integers[at]
        if number < 2:
            shown = [[f"{weight:.2f}" for weight in row] for row in results.tables[at]]
            drawings.cells(axes, shown, 2.2, y, colour=drawings.VALUE, size=size, row_names=WORDS)
            drawings.arrow(axes, (3.5, y - size), (4.2, y - size), "round")
        else:
            drawings.text(axes, "no weights are left", 2.8, y - size)
        drawings.cells(axes, integers, 4.3, y, colour=drawings.KEY, size=size)
        if number < 2:
            drawings.arrow(axes, (5.6, y - size), (6.3, y - size), f"× {STEP:g}")
            drawings.cells(
                axes,
                [[f"{STEP * each:.1f}" for each in row] for row in integers],
                6.4,
                y,
                colour=drawings.MIXED,
                size=size,
            )
            drawings.text(axes, f"loss {results.losses[at]:.3f}", 8.15, y - size)
        else:
            drawings.text(axes, f"and the step {STEP:g}", 6.25, y - size)
            drawings.text(axes, f"loss {results.losses[1]:.3f}", 8.15, y - size)
    for words, x in (("weights", 2.2 + size), ("integers", 4.3 + size), ("what computes", 6.4 + size)):
        drawings.text(axes, words, x, 4.6, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
