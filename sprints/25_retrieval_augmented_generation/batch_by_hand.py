"""What does a batch of four questions and four passages teach? A loss on paper, a copy in it, and a popular passage.

    uv run sprints/25_retrieval_augmented_generation/batch_by_hand.py
    uv run sprints/25_retrieval_augmented_generation/batch_by_hand.py --scale 20

Theory: notes/05_training_a_retriever.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retrieval.contrast import chance_of_no_copy, copies_of_the_right_one
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

PASSAGES = (7, 2, 7, 5)  # the numbers of the passages in the batch: 7 stands there twice
COSINES = ((0.8, 0.4, 0.8, 0.2), (0.2, 0.8, 0.2, 0.4), (0.6, 0.0, 0.6, 0.2), (0.0, 0.4, 0.0, 0.6))
SHARES = (0.8, 0.2)  # how often passages A and B are asked about
SAYS = (0.1, 0.3)  # p(question | passage) of one question


@dataclass(frozen=True)
class Config(ScriptConfig):
    scale: PositiveFloat = 5.0  # inverse temperature


@dataclass(frozen=True)
class Results:
    """Probabilities and losses of the batch, with the copy counted as wrong and left out; and the popular passage."""

    cosines: list[list[float]]
    copies: list[list[bool]]
    probabilities: dict[str, list[list[float]]]
    losses: dict[str, list[float]]
    means: dict[str, float]
    no_copy: dict[str, float]  # chance that a batch of so many from 1,000 has no copy
    posterior: list[float]
    ratio: list[float]  # p(passage | question) / p(passage)
    repaired: list[float]  # its logarithm with log p(passage) added


def main(config: Config) -> Results:
    cosines = torch.tensor(COSINES)
    copies = copies_of_the_right_one(torch.tensor(PASSAGES), len(PASSAGES))
    probabilities: dict[str, list[list[float]]] = {}
    losses: dict[str, list[float]] = {}
    for name, logits in {
        "copy counts as wrong": config.scale * cosines,
        "copy left out": (config.scale * cosines).masked_fill(copies, -math.inf),
    }.items():
        rows = logits.softmax(dim=1)
        probabilities[name], losses[name] = rows.tolist(), (-rows.diagonal().log()).tolist()
        print(f"{name}: losses " + ", ".join(f"{loss:.3f}" for loss in losses[name]), end="")
        print(f"; mean {sum(losses[name]) / 4:.3f}")
    means = {name: sum(values) / len(values) for name, values in losses.items()}
    no_copy = {str(batch): chance_of_no_copy(batch, 1000) for batch in (16, 64, 256)}
    print("no copy in a batch from 1,000: " + ", ".join(f"{batch}: {chance:.3f}" for batch, chance in no_copy.items()))
    joint = [share * says for share, says in zip(SHARES, SAYS, strict=True)]
    posterior = [part / sum(joint) for part in joint]
    ratio = [part / share for part, share in zip(posterior, SHARES, strict=True)]
    repaired = [math.log(part) + math.log(share) for part, share in zip(ratio, SHARES, strict=True)]
    print("posterior, ratio: " + "; ".join(f"{p:.3f}, {r:.3f}" for p, r in zip(posterior, ratio, strict=True)))
    return Results(
        [list(row) for row in COSINES],
        copies.tolist(),
        probabilities,
        losses,
        means,
        no_copy,
        posterior,
        ratio,
        repaired,
    )


def plot(results: Results) -> Figure:
    """Draw the batch with the right cells and the copies, and both orders of a popular and a rare passage."""
    figure, axes = drawings.canvas(9.4, 3.9)
    x, top, size = 1.3, 2.9, 0.56
    drawings.text(axes, "cosines of a batch", x + 2 * size, 3.65, bold=True)
    for row in range(4):
        colours = [COLOURS[2] if row == column else COLOURS[3] if results.copies[row][column] else drawings.TOKEN
                   for column in range(4)]  # fmt: skip
        for column in range(4):
            strength = 0.6 if row == column or results.copies[row][column] else 0.2
            drawings.cells(
                axes, [[results.cosines[row][column]]], x + column * size, top - row * size, colour=colours[column],
                size=size, strengths=[[strength]],
            )  # fmt: skip
        drawings.text(axes, f"question {row + 1}", x - 0.1, top - (row + 0.5) * size, align="right")
        drawings.text(axes, f"{PASSAGES[row]}", x + (row + 0.5) * size, top + 0.17)
    drawings.text(axes, "passage", x - 0.1, top + 0.17, align="right")
    drawings.text(axes, "green: right    orange: a copy of the right one", x + 2 * size - 0.3, top - 4 * size - 0.25)
    left = 5.4
    for number, (title, values) in enumerate(
        (("what InfoNCE learns: p(d | q) / p(d)", results.ratio), ("what should rank: p(d | q)", results.posterior))
    ):
        _bars(axes, title, values, left, 2.9 - 1.75 * number)
    return figure


def _bars(axes: Axes, title: str, values: list[float], left: float, top: float) -> None:
    drawings.text(axes, title, left + 1.6, top + 0.45, bold=True)
    for row, (name, value) in enumerate(zip(("A, popular", "B, rare"), values, strict=True)):
        y, length = top - 0.45 * row, 1.3 * value / max(values) * 1.6
        first = value == max(values)
        axes.barh(y, length, height=0.3, left=left + 0.6, color=COLOURS[2] if first else "#bbbbbb")
        drawings.text(axes, name, left + 0.5, y, align="right")
        drawings.text(axes, f"{value:.2f}", left + 0.7 + length, y, align="left", bold=first)


if __name__ == "__main__":
    run(main, Config, plot=plot)
