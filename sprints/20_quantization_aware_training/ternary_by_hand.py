"""What is left of weights that may be -1, 0 or 1? Six of them, BitNet's step, and the best of all codes.

    uv run sprints/20_quantization_aware_training/ternary_by_hand.py
    uv run sprints/20_quantization_aware_training/ternary_by_hand.py --weights 0.5 -0.5 0.1 2.0

Theory: notes/03_who_shares_a_step.md
"""

import itertools
import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from aware.fake_quantize import ternary
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

Weights = Annotated[tuple[float, ...], Field(min_length=2, max_length=8)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    weights: Weights = (0.8, -0.4, 0.1, -1.3, 0.2, -0.8)  # that share a step

    def check(self) -> None:
        if not any(self.weights):
            raise ValueError("some weight must not be 0: all codes of zeros are equal; got --weights of zeros only")


@dataclass(frozen=True)
class Coded:
    """A step, the integers, and the squared error of the weights."""

    step: float
    integers: list[int]
    error: float


@dataclass(frozen=True)
class Results:
    weights: list[float]
    mean_size: Coded  # BitNet's
    same_integers: Coded  # with the best step for them
    best: Coded
    gaussian_mean_size: float  # squared error as a share of the variance, of Gaussian weights
    gaussian_best: float
    gaussian_best_step: float
    gaussian_outside: float  # share of Gaussian weights beyond BitNet's grid
    packed_bits: float


def best_step(weights: tuple[float, ...], integers: tuple[int, ...]) -> Coded:
    """Return the step of least squares for given integers: <w, q> / <q, q>."""
    step = sum(w * q for w, q in zip(weights, integers, strict=True)) / max(1, sum(q * q for q in integers))
    error = sum((q * step - w) ** 2 for w, q in zip(weights, integers, strict=True))
    return Coded(step, list(integers), error)


def gaussian_error(step: float) -> float:
    """Return the squared error of a Gaussian of variance 1 rounded to -step, 0 and step, in closed form."""
    half = step / 2
    density = math.exp(-half * half / 2) / math.sqrt(2 * math.pi)
    return 1 - 4 * step * density + step * step * math.erfc(half / math.sqrt(2))


def main(config: Config) -> Results:
    weights = torch.tensor(config.weights)
    rounded = ternary(weights)
    mean_size = weights.abs().mean().item()
    integers = tuple((rounded / mean_size).round().int().tolist())
    bitnet = Coded(mean_size, list(integers), (rounded - weights).square().sum().item())
    same = best_step(config.weights, integers)
    coded = (best_step(config.weights, code) for code in itertools.product((-1, 0, 1), repeat=len(config.weights)))
    best = min((one for one in coded if one.step >= 0), key=lambda one: one.error)  # with its signs turned: the same
    for name, one in (("mean size", bitnet), ("best step for these", same), ("best of all codes", best)):
        print(f"{name}: step {one.step:.3f}, integers {one.integers}, squared error {one.error:.3f}")
    expected = math.sqrt(2 / math.pi)  # the mean size of a Gaussian
    at_best = min((step / 1000 for step in range(500, 2000)), key=gaussian_error)
    outside = math.erfc(1.5 * expected / math.sqrt(2))
    print(f"of a Gaussian: {gaussian_error(expected):.3f} of its variance with the mean size, "
          f"{gaussian_error(at_best):.3f} with the best step, {at_best:.2f}; {outside:.0%} lie beyond")  # fmt: skip
    return Results(list(config.weights), bitnet, same, best, gaussian_error(expected), gaussian_error(at_best),
                   at_best, outside, 8 / 5)  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the weights, what each step makes of them, and the errors."""
    figure, axes = drawings.canvas(9.6, 3.1)
    size, left = 0.62, 3.6
    rows = (
        ("weights", results.weights, drawings.TOKEN, None),
        ("integers, mean size", results.mean_size.integers, drawings.KEY, results.mean_size),
        ("integers, best of all", results.best.integers, drawings.VALUE, results.best),
    )
    for index, (name, numbers, colour, coded) in enumerate(rows):
        y = 2.75 - 0.85 * index
        drawings.cells(axes, [numbers], left, y, colour=colour, size=size)
        drawings.text(axes, name, left - 0.2, y - size / 2, align="right")
        if coded is not None:
            words = f"step {coded.step:.3f}, error {coded.error:.3f}"
            drawings.text(axes, words, left + size * len(numbers) + 0.2, y - size / 2, align="left")
    drawings.text(axes, "A weight comes back as its integer times the step.", left, 0.2, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
