"""What one draws of a classifier: which class it takes for which, and whether its confidence can be trusted."""

import math
from collections.abc import Mapping, Sequence
from typing import Any


def class_shares(table: Sequence[Sequence[int]]) -> tuple[float, str]:
    """Return the loss, in nats, of one who knows how frequent each true class is and nothing else, and its name."""
    counts = [sum(row) for row in table]
    shares = [count / sum(counts) for count in counts if count]
    return -sum(share * math.log(share) for share in shares), "knows class shares only"


def draw_course(
    axes: Any, steps: Sequence[int], curves: Mapping[str, Sequence[float]], level: tuple[float, str]
) -> None:
    """Draw losses by step beside a loss with a name that they are compared with."""
    for name, losses in curves.items():
        axes.plot(steps, losses, marker="o", label=name)
    axes.axhline(level[0], color="black", linestyle="--", label=level[1])
    seen = [level[0], *(loss for losses in curves.values() for loss in losses)]
    margin = 0.08 * (max(seen) - min(seen))
    axes.set(xlabel="step", ylabel="nats per text", ylim=(min(seen) - margin, max(seen) + margin))
    axes.legend()


def draw_confusions(axes: Any, table: Sequence[Sequence[int]], classes: Sequence[str]) -> None:
    """Draw a confusion matrix, each row shaded by the shares of its true class."""
    shares = [[count / max(1, sum(row)) for count in row] for row in table]
    darkest = max(0.5, *(max(row) for row in shares))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=darkest)
    for row, counts in enumerate(table):
        for column, count in enumerate(counts):
            colour = "white" if shares[row][column] > 0.6 * darkest else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    axes.set(xlabel="predicted", ylabel="true", xticks=range(len(classes)), yticks=range(len(classes)))
    axes.set_xticklabels(classes, rotation=40 if len(classes) > 2 else 0)
    axes.set_yticklabels(classes)
    axes.grid(False)


def draw_reliability(axes: Any, bins: Mapping[str, Sequence[float]]) -> None:
    """Draw accuracy by confidence beside the diagonal that a calibrated classifier follows."""
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", label="calibrated")
    axes.plot(bins["confidence"], bins["accuracy"], marker="o", label="ours")
    for confidence, accuracy, count in zip(bins["confidence"], bins["accuracy"], bins["count"], strict=True):
        axes.annotate(f"{count:g}", (confidence, accuracy), xytext=(4, -11), textcoords="offset points", fontsize=7)
    axes.set(xlabel="confidence (numbers: texts in the bin)", ylabel="accuracy", xlim=(0, 1.1), ylim=(-0.06, 1.06))
    axes.legend()
