"""What one draws of a classifier: which class it takes for which, and whether its confidence can be trusted."""

from collections.abc import Mapping, Sequence
from typing import Any


def draw_confusions(axes: Any, table: Sequence[Sequence[int]], classes: Sequence[str]) -> None:
    """Draw a confusion matrix, each row shaded by the shares of its true class."""
    shares = [[count / max(1, sum(row)) for count in row] for row in table]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, counts in enumerate(table):
        for column, count in enumerate(counts):
            colour = "white" if shares[row][column] > 0.6 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour)
    axes.set(xlabel="predicted", ylabel="true", xticks=range(len(classes)), yticks=range(len(classes)))
    axes.set_xticklabels(classes, rotation=40 if len(classes) > 2 else 0)
    axes.set_yticklabels(classes)
    axes.grid(False)


def draw_reliability(axes: Any, bins: Mapping[str, Sequence[float]]) -> None:
    """Draw accuracy by confidence beside the diagonal that a calibrated classifier follows."""
    axes.plot([0, 1], [0, 1], color="grey", linestyle="--", label="calibrated")
    axes.plot(bins["confidence"], bins["accuracy"], marker="o", label="ours")
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.legend()
