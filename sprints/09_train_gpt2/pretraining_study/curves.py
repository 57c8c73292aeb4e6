"""The curves of a training: what `train.py` draws."""

from itertools import pairwise
from typing import Protocol

from matplotlib.figure import Figure

from shared.lab.figures import new_figure


class Curves(Protocol):
    """The part of a training's results that is drawn."""

    @property
    def steps(self) -> list[int]: ...
    @property
    def train_losses(self) -> list[float]: ...
    @property
    def validation_losses(self) -> list[float]: ...
    @property
    def ngram(self) -> float: ...
    @property
    def optimum(self) -> float | None: ...


def plot(results: Curves) -> Figure:
    """Draw the losses over the steps, between the floor that no model can pass and the n-gram model."""
    figure, axes = new_figure()
    # A mean over steps belongs to their middle, not to their end.
    middles = [(start + end) / 2 for start, end in pairwise([0, *results.steps])]
    axes.plot(middles, results.train_losses, color="C0", marker=".", label="training, mean of the steps around")
    axes.plot(results.steps, results.validation_losses, color="C3", marker=".", label="validation, at this step")
    for name, loss, style, side in (
        ("5-gram", results.ngram, "--", "bottom"),
        ("optimum", results.optimum, "-", "top"),
    ):
        if loss is not None:
            axes.axhline(loss, linestyle=style, color="black", linewidth=1)
            axes.text(results.steps[-1], loss, f"{name} {loss:.2f}", ha="right", va=side)
    axes.set(xlabel="step", ylabel="nats per token", ylim=(0, None), xlim=(0, None))
    axes.legend()
    return figure
