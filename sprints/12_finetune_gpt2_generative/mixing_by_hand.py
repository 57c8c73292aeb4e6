"""Why is the mean of several models' probabilities better than the models are on average?

    uv run sprints/12_finetune_gpt2_generative/mixing_by_hand.py
    uv run sprints/12_finetune_gpt2_generative/mixing_by_hand.py --probabilities 0.6 0.5

Two models give the true token a high and a low probability: mean of the losses against loss of the mean.
Theory: notes/10_getting_closer.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFraction
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    probabilities: Annotated[tuple[PositiveFraction, ...], Field(min_length=2)] = (0.9, 0.1)  # of the true token


@dataclass(frozen=True)
class Results:
    probabilities: list[float]
    losses: list[float]
    mean_loss: float
    loss_of_mean: float


def main(config: Config) -> Results:
    losses = [-math.log(probability) for probability in config.probabilities]
    mean_loss = sum(losses) / len(losses)
    loss_of_mean = -math.log(sum(config.probabilities) / len(config.probabilities))
    for probability, loss in zip(config.probabilities, losses, strict=True):
        print(f"probability {probability:g}: {loss:.3f} nats")
    print(f"mean of the losses {mean_loss:.3f}, loss of the mean {loss_of_mean:.3f}")
    return Results(list(config.probabilities), losses, mean_loss, loss_of_mean)


def plot(results: Results) -> Figure:
    """Draw the loss by the probability: the chord between two models lies above the curve."""
    figure, axes = new_figure(6.5, 3.8)
    xs = [0.03 + 0.01 * index for index in range(98)]
    axes.plot(xs, [-math.log(x) for x in xs], color=COLOURS[0])
    axes.plot(results.probabilities, results.losses, "o--", color=COLOURS[1])
    mean = sum(results.probabilities) / len(results.probabilities)
    for name, y, colour, place, align in (
        ("mean of the losses", results.mean_loss, COLOURS[1], (8, 8), "left"),
        ("loss of the mean", results.loss_of_mean, COLOURS[2], (-8, -14), "right"),
    ):
        axes.plot(mean, y, "D", color=colour)
        words = f"{name}: {y:.3f}"
        axes.annotate(words, (mean, y), textcoords="offset points", xytext=place, ha=align, color=colour)
    axes.set(xlabel="probability of the true token", ylabel="loss, nats", xlim=(0, 1.02), ylim=(0, 3.5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
