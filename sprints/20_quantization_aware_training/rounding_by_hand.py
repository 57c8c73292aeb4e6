"""What is the gradient of rounding? Eight numbers on a grid, and a weight that learns although it is rounded.

    uv run sprints/20_quantization_aware_training/rounding_by_hand.py
    uv run sprints/20_quantization_aware_training/rounding_by_hand.py --weight 0.35 --target 0.3

The weight is rounded to a whole number, and the loss wants something in between. Theory:
notes/01_training_through_rounding.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from aware.fake_quantize import fake_quantize, round_through
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run

NUMBERS = (-2.6, -2.1, -0.3, 0.2, 0.8, 1.6, 1.8, 2.4)
STEP, LOWEST, HIGHEST = 0.5, -4, 3  # three bits


@dataclass(frozen=True)
class Config(ScriptConfig):
    weight: float = 0.35  # where the weight starts
    target: Fraction = 0.8  # what the rounded weight should be
    learning_rate: PositiveFloat = 0.1  # of gradient descent
    steps: PositiveInt = 20  # of gradient descent


@dataclass(frozen=True)
class Results:
    numbers: list[float]
    integers: list[int]  # before they are moved to the ends of the grid
    back: list[float]
    true_gradient: list[float]
    on_the_grid: list[float]  # of the straight-through estimator, 0 outside: ours and PyTorch's
    clamped_after: list[float]  # the same rounding, and PyTorch's clamp behind it
    weights: list[float]
    rounded: list[float]
    gradients: list[float]
    mean_rounded: float  # over the last half of the steps


def slopes(y: torch.Tensor, x: torch.Tensor) -> list[float]:
    """Return the gradient of each number for the one that it was made of."""
    return torch.autograd.grad(y.sum(), x)[0].tolist()


def walk(config: Config) -> tuple[list[float], list[float], list[float]]:
    """Return the weight, what it is rounded to, and the gradient of (rounded - target)^2 at each step."""
    weight, weights, rounded, gradients = config.weight, [], [], []
    for _ in range(config.steps):
        x = torch.tensor(weight, dtype=torch.float64, requires_grad=True)
        y = round_through(x)
        (y - config.target).square().backward()
        weights.append(weight)
        rounded.append(y.item())
        gradients.append(float(x.grad or 0))
        weight -= config.learning_rate * gradients[-1]
    return weights, rounded, gradients


def main(config: Config) -> Results:
    x = torch.tensor(NUMBERS, requires_grad=True)
    true = (x / STEP).round().clamp(LOWEST, HIGHEST) * STEP
    ours = fake_quantize(x, torch.tensor(STEP), 0, LOWEST, HIGHEST)
    clamped = round_through(x / STEP).clamp(LOWEST, HIGHEST) * STEP
    integers = (x / STEP).round().int().tolist()
    table = slopes(true, x), slopes(ours, x), slopes(clamped, x)
    for row in zip(NUMBERS, integers, ours.tolist(), *table, strict=True):
        print("{:5.1f} -> {:2d} -> {:4.1f}: gradient {:g}, straight through {:g}, clamped behind {:g}".format(*row))
    weights, rounded, gradients = walk(config)
    for weight, whole, gradient in list(zip(weights, rounded, gradients, strict=True))[:8]:
        print(f"weight {weight:.2f}, rounded {whole:g}, gradient {gradient:+.1f}")
    mean = sum(rounded[len(rounded) // 2 :]) / len(rounded[len(rounded) // 2 :])
    print(f"the rounded weight is {mean:.2f} on average, and the target {config.target:g}")
    return Results(list(NUMBERS), integers, ours.tolist(), *table, weights, rounded, gradients, mean)


def plot(results: Results) -> Figure:
    """Draw the stairs with the line whose slope training uses, and the walk of the weight."""
    figure, (left, right) = new_figure(9.6, 3.9, columns=2)
    x = torch.linspace(-3.2, 2.9, 1200)
    scale = torch.tensor(STEP)
    left.plot(x, fake_quantize(x, scale, 0, LOWEST, HIGHEST), color=COLOURS[7], linewidth=1.4)
    low, high = (LOWEST - 0.5) * STEP, (HIGHEST + 0.5) * STEP
    left.plot([-3.2, low, high, 2.9], [low, low, high, high], color=COLOURS[0], linewidth=1.4, linestyle="--")
    left.axvspan(low, high, color=COLOURS[0], alpha=0.08)
    left.text(-1.9, 1.25, "on the grid:\ngradient 1", color=COLOURS[0], fontsize=9)
    left.text(-3.2, -1.6, "outside:\ngradient 0", color=COLOURS[0], fontsize=9)
    left.text(-0.3, -1.15, "stairs: what is computed,\nslope 0", fontsize=9)
    left.plot(results.numbers, results.back, "o", color=COLOURS[3], markersize=5)
    left.set(xlabel="number", ylabel="after the round trip")
    steps = range(len(results.weights))
    right.step(steps, results.rounded, where="mid", color=COLOURS[7], linewidth=1.2)
    right.plot(steps, results.weights, "o-", color=COLOURS[0], markersize=3.5, linewidth=1)
    right.axhline(0.5, color="#999999", linewidth=0.8, linestyle=":")
    right.text(len(steps) - 0.5, 0.515, "half", fontsize=8, color="#666666", ha="right")
    right.text(0.6, 0.36, "the weight", color=COLOURS[0], fontsize=9)
    right.text(2.6, 0.06, "what it is rounded to", fontsize=9)
    right.set(xlabel="step of gradient descent", ylabel="weight", ylim=(-0.1, 1.1), xticks=range(0, len(steps), 5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
