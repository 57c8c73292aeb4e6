"""What does batch norm do? Four pictures, two channels, every number; then one picture alone, in evaluation mode.

    uv run sprints/04_advanced_training_cnn/norm_by_hand.py

Theory: notes/03_batch_norm.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import Fraction
from shared.lab.run import run

Row = list[float]

# Channels of one place in four pictures: the second has values ten times as large, far from 0.
BATCH: dict[str, Row] = {"channel 1": [1, 3, 3, 5], "channel 2": [60, 60, 80, 80]}
EPSILON = 1e-5


@dataclass(frozen=True)
class Config(ScriptConfig):
    momentum: Fraction = 0.1  # share of the batch's statistics that the running ones take in


@dataclass(frozen=True)
class Channel:
    """A channel in the batch, its statistics, what comes out, and the statistics kept for evaluation."""

    values: Row
    mean: float
    variance: float
    normalised: Row
    running_mean: float
    running_variance: float


@dataclass(frozen=True)
class Results:
    channels: dict[str, Channel]


def normalise(values: Row, mean: float, variance: float) -> Row:
    """Return (x - mean) / sqrt(variance + epsilon) of each value."""
    return [(value - mean) / math.sqrt(variance + EPSILON) for value in values]


def train_on(values: Row, momentum: float) -> Channel:
    """Normalise a channel by its batch, and take the batch into running statistics that begin at 0 and 1."""
    count = len(values)
    mean = sum(values) / count
    variance = sum((value - mean) ** 2 for value in values) / count
    # The running variance is divided by count - 1, as an estimate for all pictures and not these alone.
    estimate = variance * count / (count - 1)
    return Channel(
        values=values,
        mean=mean,
        variance=variance,
        normalised=normalise(values, mean, variance),
        running_mean=(1 - momentum) * 0.0 + momentum * mean,
        running_variance=(1 - momentum) * 1.0 + momentum * estimate,
    )


def main(config: Config) -> Results:
    channels = {name: train_on(values, config.momentum) for name, values in BATCH.items()}
    for name, channel in channels.items():
        shown = ", ".join(f"{value:.3f}" for value in channel.normalised)
        print(f"{name}: mean {channel.mean:g}, variance {channel.variance:g} -> {shown}")
        print(f"           kept for evaluation: {channel.running_mean:.3f} and {channel.running_variance:.3f}")
    return Results(channels)


def plot(results: Results) -> Figure:
    """Draw each channel before and after, with its mean and standard deviation between."""
    size, x = 0.52, 1.05
    figure, axes = drawings.canvas(8.2, 2.5)
    colours = (drawings.QUERY, drawings.KEY)
    for row, ((name, channel), colour) in enumerate(zip(results.channels.items(), colours, strict=True)):
        top = 1.75 - row * 0.85
        names = [f"{number}" for number in range(1, len(channel.values) + 1)] if row == 0 else ()
        drawings.cells(axes, [channel.values], x, top, colour=colour, size=size, row_names=[name], column_names=names)
        right = x + size * len(channel.values)
        drawings.box(axes, f"− {channel.mean:g},  ÷ {math.sqrt(channel.variance):.3g}", right + 0.55, top - 0.46, 1.5,
                     0.4)  # fmt: skip
        drawings.arrow(axes, (right + 0.08, top - size / 2), (right + 0.5, top - size / 2))
        drawings.arrow(axes, (right + 2.1, top - size / 2), (right + 2.5, top - size / 2))
        after = [round(value, 2) for value in channel.normalised]
        drawings.cells(axes, [after], right + 2.6, top, colour=drawings.VALUE, size=size, column_names=names)
    drawings.text(axes, "picture", 0.97, 1.89, align="right")
    drawings.text(axes, "what comes in", x + 2 * size, 2.25, bold=True)
    drawings.text(axes, "mean and standard deviation", x + 4 * size + 1.3, 2.25, bold=True)
    drawings.text(axes, "mean 0, variance 1", x + 6 * size + 2.6, 2.25, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
