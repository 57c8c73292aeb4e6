"""One weight on two processes: when may one average weights in place of gradients? And a gradient clipped in halves.

    uv run sprints/24_distributed_training/wrong_by_hand.py
    uv run sprints/24_distributed_training/wrong_by_hand.py --gradients 3 1

Theory: notes/11_wrong_beside_right.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

EPSILON = 1e-8
Number = Annotated[float, Field(ge=-1000, le=1000)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    weight: Number = 1.0  # before the step, in both processes
    gradients: tuple[Number, Number] = (3.0, -1.0)  # of the two processes
    rate: PositiveFloat = 0.1  # learning rate
    shards: tuple[Number, Number] = (3.0, 4.0)  # the two numbers of a gradient, one for each process
    limit: PositiveFloat = 1.0  # the largest norm

    def check(self) -> None:
        if 0 in self.shards:
            raise ValueError(f"each of --shards is divided by its own norm, so neither may be 0; got {self.shards}")


@dataclass(frozen=True)
class Results:
    gradients: list[float]
    start: float
    own: dict[str, list[float]]  # weights after a step of each process's own, by optimizer
    parameters_averaged: dict[str, float]
    gradients_averaged: dict[str, float]
    shards: list[float]
    norm: float
    clipped: list[float]
    clipped_by_shard: list[float]


def sgd(weight: float, gradient: float, rate: float) -> float:
    return weight - rate * gradient


def adam(weight: float, gradient: float, rate: float) -> float:
    """Return the weight after the first step: both averages, corrected, are the gradient and its square."""
    return weight - rate * gradient / (math.sqrt(gradient**2) + EPSILON)


def main(config: Config) -> Results:
    own, parameters, gradients = {}, {}, {}
    mean = sum(config.gradients) / 2
    for name, step in (("SGD", sgd), ("Adam", adam)):
        own[name] = [step(config.weight, gradient, config.rate) for gradient in config.gradients]
        parameters[name] = sum(own[name]) / 2
        gradients[name] = step(config.weight, mean, config.rate)
        print(f"{name}: each for itself {own[name][0]:.2f} and {own[name][1]:.2f}, averaged {parameters[name]:.2f};")
        print(f"    a step with the averaged gradient {mean:g}: {gradients[name]:.2f}")
    norm = math.hypot(*config.shards)
    clipped = [part * min(1, config.limit / norm) for part in config.shards]
    by_shard = [part * min(1, config.limit / abs(part)) for part in config.shards]
    print(f"clipped by the norm of all, {norm:g}: {clipped}; each by its own: {by_shard}")
    return Results(list(config.gradients), config.weight, own, parameters, gradients, list(config.shards), norm,
                   clipped, by_shard)  # fmt: skip


def draw_step(axes: Axes, results: Results, name: str, y: float) -> None:
    """Draw the two ways of one optimizer: steps first, or the mean first."""
    own, parameters, gradients = results.own[name], results.parameters_averaged[name], results.gradients_averaged[name]
    mean = sum(results.gradients) / 2
    drawings.text(axes, name, 0.1, y - 0.5, align="left", bold=True, size=11)
    for rank in range(2):
        row = y - 0.5 * rank
        drawings.cells(axes, [[results.gradients[rank]]], 1.5, row, colour=COLOURS[rank], row_names=[f"rank {rank}"])
        drawings.arrow(axes, (2.05, row - 0.25), (2.6, row - 0.25))
        drawings.cells(axes, [[round(own[rank], 6)]], 2.65, row, colour=COLOURS[rank])
        drawings.arrow(axes, (3.2, row - 0.25), (3.75, y - 0.5))
    drawings.cells(axes, [[round(parameters, 6)]], 3.8, y - 0.25, colour=COLOURS[2], size=0.5)
    drawings.cells(axes, [[mean]], 5.3, y - 0.25, colour=COLOURS[4])
    drawings.arrow(axes, (5.85, y - 0.5), (6.4, y - 0.5))
    drawings.cells(axes, [[round(gradients, 6)]], 6.45, y - 0.25, colour=COLOURS[2])


def plot(results: Results) -> Figure:
    """Draw both ways side by side, for each optimizer; what must be equal has the same colour."""
    figure, axes = drawings.canvas(7.2, 3.3)
    drawings.text(axes, "steps, then the mean of the weights", 2.9, 3.1, bold=True)
    drawings.text(axes, "the mean gradient, then a step", 6.0, 3.1, bold=True)
    for x, words in ((1.75, "gradient"), (2.9, "weight"), (4.05, "mean"), (5.55, "mean"), (6.7, "weight")):
        drawings.text(axes, words, x, 2.82, size=8)
    for number, name in enumerate(results.own):
        draw_step(axes, results, name, 2.65 - 1.45 * number)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
