"""What does clipping a gradient do? One weight, multiplied with itself once for each step of time.

    uv run sprints/18_sequence_models/clipping.py
    uv run sprints/18_sequence_models/clipping.py --steps-of-time 40 --start 1.2

The state begins at 1 and is multiplied with the weight at each step; its last value should be the target. Where the
weight is above 1, the loss is a cliff. Theory: notes/02_gradients_through_time.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps_of_time: PositiveInt = 20  # how often the state is multiplied with the weight
    start: float = 1.3  # the weight in front of training
    target: float = 0.5  # what the last state should be
    learning_rate: PositiveFloat = 0.01  # of gradient descent
    clip: PositiveFloat = 1.0  # the largest gradient that is let through
    steps: PositiveInt = 100  # of gradient descent

    def check(self) -> None:
        if not (0 < self.start <= 2 and self.steps_of_time <= 100):
            raise ValueError(
                "float64 ends at 1e308: --start must be above 0 and at most 2, --steps-of-time at most 100; "
                f"got {self.start} and {self.steps_of_time}"
            )


@dataclass(frozen=True)
class Descent:
    """The weights and losses of a training; it ends where a number is no longer finite."""

    weights: list[float]
    losses: list[float]
    first_gradient: float


@dataclass(frozen=True)
class Results:
    free: Descent
    clipped: Descent
    optimum: float
    curve: list[list[float]]


def loss_and_gradient(weight: float, config: Config) -> tuple[float, float]:
    """Return (w^T - target)^2 / 2 and its derivative (w^T - target) T w^(T-1)."""
    last = weight**config.steps_of_time
    error = last - config.target
    return error**2 / 2, error * config.steps_of_time * weight ** (config.steps_of_time - 1)


def descend(config: Config, clip: float) -> Descent:
    """Return what gradient descent does; a longer gradient than `clip` is shortened to it, its sign stays."""
    weight, weights, losses, first = config.start, [], [], 0.0
    for step in range(config.steps + 1):
        try:
            loss, gradient = loss_and_gradient(weight, config)
        except OverflowError:
            break
        weights.append(weight)
        losses.append(loss)
        first = gradient if step == 0 else first
        weight -= config.learning_rate * max(-clip, min(clip, gradient))
    return Descent(weights, losses, first)


def main(config: Config) -> Results:
    free, clipped = descend(config, math.inf), descend(config, config.clip)
    grid = [0.5 + index * 0.01 for index in range(91)]
    curve = [[weight, loss_and_gradient(weight, config)[0]] for weight in grid]
    optimum = max(config.target, 0.0) ** (1 / config.steps_of_time)
    print(f"first gradient {free.first_gradient:.3g}; best weight {optimum:.4f}")
    print(f"free: {len(free.weights)} weights, {[f'{weight:.3g}' for weight in free.weights[:4]]}")
    print(f"clipped: ends at {clipped.weights[-1]:.4f}, loss {clipped.losses[-1]:.2g}")
    return Results(free, clipped, optimum, curve)


def plot(results: Results) -> Figure:
    """Draw the cliff with the way of clipped descent, and the losses of both by step."""
    figure, (left, right) = new_figure(9.6, 3.8, columns=2)
    left.plot(*zip(*results.curve, strict=True), color="grey")
    steep = [pair for pair in zip(results.clipped.weights, results.clipped.losses, strict=True) if pair[1] > 1e-4]
    left.plot(*zip(*steep, strict=True), ".", color="C0", markersize=4)
    left.text(0.55, 4, "loss", color="grey")
    left.annotate(
        "clipped: down the cliff in small steps", (results.clipped.weights[5], results.clipped.losses[5]),
        (0.52, 3e6), color="C0", arrowprops={"arrowstyle": "-", "color": "C0"},
    )  # fmt: skip
    left.set(xlabel="weight", ylabel="loss (logarithmic)", yscale="log", ylim=(1e-4, 1e8), xlim=(0.5, 1.4))
    right.plot(results.clipped.losses, color="C0")
    right.plot(results.free.losses, "o-", color="C3", markersize=4)
    right.text(len(results.clipped.losses) * 0.55, 1e2, "clipped", color="C0")
    right.text(8, 1e9, f"free: over the end of float64\nat step {len(results.free.losses)}", color="C3")
    right.set(xlabel="step of gradient descent", ylabel="loss (logarithmic)", yscale="log", ylim=(1e-33, 1e14))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
