"""Where do two steps of SGD, of momentum and of Adam lead? Every number, on a surface that fits on paper.

    uv run sprints/03_models_and_training_loops/two_steps.py
    uv run sprints/03_models_and_training_loops/two_steps.py --learning-rate 0.19 --momentum 0.5

The loss is (a^2 + 10 b^2) / 2, a valley along a that is steep across, along b. The rules are written out with plain
numbers; the tests compare them with torch.optim. Theory: notes/06_optimizers.md
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Share
from shared.lab.run import run

CURVATURES = (1.0, 10.0)
Rate = Annotated[float, Field(gt=0, le=1)]
Steps = Annotated[int, Field(ge=2, le=50)]  # two are drawn boldly, the others thinly
Place = tuple[float, float]


@dataclass(frozen=True)
class Config(ScriptConfig):
    learning_rate: Rate = 0.15  # of SGD, with and without momentum
    momentum: Share = 0.9  # what is left of the velocity after a step
    adam_learning_rate: Rate = 0.5  # of Adam
    beta1: Share = 0.9  # what is left of Adam's mean of gradients after a step
    beta2: Share = 0.999  # what is left of its mean of their squares
    steps: Steps = 12  # steps to draw


@dataclass(frozen=True)
class Step:
    """A step: the gradient before it, what the optimizer remembers after it, and the place and loss it leads to."""

    gradient: list[float]
    memory: dict[str, list[float]]
    place: list[float]
    loss: float


@dataclass(frozen=True)
class Results:
    start: list[float]
    start_loss: float
    paths: dict[str, list[Step]]


def loss_of(place: list[float]) -> float:
    return sum(curvature * w * w for curvature, w in zip(CURVATURES, place, strict=True)) / 2


def gradient_of(place: list[float]) -> list[float]:
    return [curvature * w for curvature, w in zip(CURVATURES, place, strict=True)]


def momentum_steps(place: list[float], learning_rate: float, momentum: float) -> Iterator[Step]:
    """Yield the steps of SGD: v <- momentum v + g, w <- w - rate v; without momentum v is g."""
    velocity = [0.0, 0.0]
    while True:
        gradient = gradient_of(place)
        velocity = [momentum * v + g for v, g in zip(velocity, gradient, strict=True)]
        place = [w - learning_rate * v for w, v in zip(place, velocity, strict=True)]
        yield Step(gradient, {"velocity": velocity} if momentum else {}, place, loss_of(place))


def adam_steps(place: list[float], learning_rate: float, beta1: float, beta2: float) -> Iterator[Step]:
    """Yield the steps of Adam: a mean of gradients over the root of a mean of their squares, both corrected."""
    mean, square, t = [0.0, 0.0], [0.0, 0.0], 0
    while True:
        gradient, t = gradient_of(place), t + 1
        mean = [beta1 * m + (1 - beta1) * g for m, g in zip(mean, gradient, strict=True)]
        square = [beta2 * s + (1 - beta2) * g * g for s, g in zip(square, gradient, strict=True)]
        unbiased_mean = [m / (1 - beta1**t) for m in mean]
        unbiased_square = [s / (1 - beta2**t) for s in square]
        ratios = [m / (math.sqrt(s) + 1e-8) for m, s in zip(unbiased_mean, unbiased_square, strict=True)]
        place = [w - learning_rate * ratio for w, ratio in zip(place, ratios, strict=True)]
        memory = {"mean": mean, "square": square, "mean, corrected": unbiased_mean,
                  "square, corrected": unbiased_square, "ratio": ratios}  # fmt: skip
        yield Step(gradient, memory, place, loss_of(place))


def main(config: Config) -> Results:
    start = [4.0, 1.0]
    rules = {
        "SGD": momentum_steps(start, config.learning_rate, 0.0),
        "momentum": momentum_steps(start, config.learning_rate, config.momentum),
        "Adam": adam_steps(start, config.adam_learning_rate, config.beta1, config.beta2),
    }
    paths = {name: [next(steps) for _ in range(config.steps)] for name, steps in rules.items()}
    print(f"start ({start[0]:g}, {start[1]:g}), loss {loss_of(start):g}")
    for name, steps in paths.items():
        for number, step in enumerate(steps[:2], start=1):
            print(
                f"{name}, step {number}: gradient {numbers(step.gradient)}",
                *(f"{what} {numbers(values)}" for what, values in step.memory.items()),
                f"-> {numbers(step.place)}, loss {step.loss:.3f}",
            )
    return Results(start, loss_of(start), paths)


def numbers(values: list[float]) -> str:
    return f"({', '.join(f'{value:.4g}' for value in values)})"


def plot(results: Results) -> Figure:
    """Draw the paths over lines of equal loss, the first two steps boldly."""
    figure, panels = new_figure(9.6, 3.6, columns=3)
    first, second = torch.meshgrid(torch.linspace(-3.4, 4.8, 150), torch.linspace(-2.0, 2.0, 150), indexing="xy")
    losses = (CURVATURES[0] * first**2 + CURVATURES[1] * second**2) / 2
    for (name, steps), axes, colour in zip(results.paths.items(), panels, ("C0", "C1", "C2"), strict=True):
        places = torch.tensor([results.start, *(step.place for step in steps)])
        axes.contour(first, second, losses, levels=[0.25, 1, 2.5, 5, 9, 13, 20], colors="0.85")
        axes.plot(*places[2:].T, color=colour, linewidth=0.8, marker=".", markersize=4, alpha=0.5)
        for number in (0, 1):
            arrow = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", places[number + 1].tolist(), places[number].tolist(), arrowprops=arrow)
            shift = (-10, 6) if number else (8, -6)
            axes.annotate(f"{number + 1}", places[number + 1].tolist(), shift, textcoords="offset points",
                          color=colour, fontweight="bold")  # fmt: skip
        axes.plot(*results.start, "ko", markersize=5)
        axes.annotate("start", results.start, (0, 6), textcoords="offset points", ha="center")
        axes.plot(0, 0, "k*", markersize=9)
        axes.set(
            title=f"{name}: loss {results.start_loss:g}, {steps[0].loss:.2f}, {steps[1].loss:.2f}", xlabel="weight a"
        )
        axes.title.set_fontsize(10)
        axes.grid(False)
    panels[0].set(ylabel="weight b")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
