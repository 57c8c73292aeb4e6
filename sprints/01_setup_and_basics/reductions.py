"""What does a sum lose? Axes that vanish, digits that vanish, and means of means.

    uv run sprints/01_setup_and_basics/reductions.py

Four ways to add float32 numbers, each against the exact sum; two formulas of the variance; the mean of batch means.
Theory: notes/06_numbers.md
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

Power = Annotated[int, Field(ge=4, le=24)]  # of two
Offset = Annotated[float, Field(ge=-1e18, le=1e18)]  # whose square float32 can hold


@dataclass(frozen=True)
class Config(ScriptConfig):
    longest: Power = 17  # the longest sum has 2^this numbers
    rows: PositiveInt = 10  # sums of each length, of different numbers
    offset: Offset = 10_000.0  # mean of the numbers whose variance is computed


@dataclass(frozen=True)
class Results:
    shapes: dict[str, list[int]]
    lengths: list[int]
    errors: dict[str, list[list[float]]]
    variances: dict[str, float]
    means: dict[str, float]


def sum_in_order(numbers: np.ndarray) -> np.ndarray:
    """Return the sum of each row, added from left to right in float32."""
    return np.cumsum(numbers, axis=1, dtype=np.float32)[:, -1]


def sum_in_pairs(numbers: np.ndarray) -> np.ndarray:
    """Return the sum of each row: neighbours first, then sums of neighbours. The length is a power of two."""
    while numbers.shape[1] > 1:
        numbers = numbers[:, ::2] + numbers[:, 1::2]
    return numbers[:, 0]


def sum_compensated(numbers: np.ndarray) -> np.ndarray:
    """Return the sum of each row, carrying along what each addition rounds off (Kahan 1965)."""
    total = np.zeros(len(numbers), np.float32)
    lost = np.zeros_like(total)
    for column in np.ascontiguousarray(numbers.T):
        term = column - lost
        grown = total + term
        lost = (grown - total) - term
        total = grown
    return total


SUMS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "one after the other": sum_in_order,
    "in pairs": sum_in_pairs,
    "torch.sum": lambda numbers: torch.from_numpy(numbers).sum(dim=1).numpy(),
    "compensated": sum_compensated,
}


def relative_errors(numbers: np.ndarray, add: Callable[[np.ndarray], np.ndarray]) -> list[float]:
    """Return the relative error of each row's sum; math.fsum is exact to the last digit of float64."""
    exact = [math.fsum(row) for row in numbers.tolist()]
    return [abs(float(total) / true - 1) for total, true in zip(add(numbers), exact, strict=True)]


def variances(numbers: np.ndarray) -> dict[str, float]:
    """Return the variance of float32 numbers by four formulas, the last one in float64."""
    mean = numbers.mean(dtype=np.float32)
    return {
        "mean of squares minus square of mean, float32": float((numbers**2).mean(dtype=np.float32) - mean**2),
        "mean of squared differences, float32": float(((numbers - mean) ** 2).mean(dtype=np.float32)),
        "torch.var(correction=0), float32": torch.from_numpy(numbers).var(correction=0).item(),
        "numpy.var, float64": float(numbers.astype(np.float64).var()),
    }


def means_of_batches(values: torch.Tensor, batch_size: int) -> dict[str, float]:
    """Return the mean of all values and the mean of the means of batches, the last of which is smaller."""
    batches = values.split(batch_size)
    return {
        "all values": values.mean().item(),
        "mean of batch means": torch.stack([batch.mean() for batch in batches]).mean().item(),
        "batch means weighted by size": sum(batch.mean().item() * len(batch) for batch in batches) / len(values),
    }


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    x = torch.zeros(2, 3, 4)
    shapes = {
        "x.sum()": list(x.sum().shape),
        "x.sum(dim=1)": list(x.sum(dim=1).shape),
        "x.sum(dim=1, keepdim=True)": list(x.sum(dim=1, keepdim=True).shape),
        "x.sum(dim=(0, 2))": list(x.sum(dim=(0, 2)).shape),
        "x.sum(dim=())": list(x.sum(dim=()).shape),
        "x.max(dim=-1).indices": list(x.max(dim=-1).indices.shape),
    }
    for name, shape in shapes.items():
        print(f"{name:<28} {shape}")

    lengths = [2**power for power in range(4, config.longest + 1)]
    numbers = torch.rand(config.rows, lengths[-1], generator=generator).numpy()
    errors = {name: [relative_errors(numbers[:, :n], add) for n in lengths] for name, add in SUMS.items()}
    for name, by_length in errors.items():
        print(f"sum of {lengths[-1]:,}, {name:<20} relative error {np.median(by_length[-1]):.1e} (median)")

    shifted = torch.randn(10_000, generator=generator).numpy() + np.float32(config.offset)
    by_formula = variances(shifted)
    for name, variance in by_formula.items():
        print(f"variance, {name:<46} {variance:.4f}")
    # 100 easy examples, then 4 hard ones in a batch of their own.
    means = means_of_batches(torch.cat([torch.zeros(100), torch.ones(4)]), batch_size=20)
    for name, mean in means.items():
        print(f"error rate, {name:<30} {mean:.3f}")
    return Results(shapes, lengths, errors, by_formula, means)


def plot(results: Results) -> Figure:
    """Draw the relative error of each way to add, by the number of terms."""
    figure, axes = new_figure()
    for name, errors in results.errors.items():
        # An exact sum has no place on a logarithmic axis: it is drawn at the bottom.
        low, median, high = np.maximum(np.quantile(errors, [0.25, 0.5, 0.75], axis=1), 1e-9)
        (line,) = axes.plot(results.lengths, median, marker=".", label=name)
        axes.fill_between(results.lengths, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    axes.axhline(2**-24, color="black", linestyle=":", label="half the spacing of float32")
    axes.set(xscale="log", yscale="log", xlabel="numbers added", ylabel="relative error (median, quartiles)")
    axes.legend()
    return figure


if __name__ == "__main__":
    # Around 10,000 squared the numbers of float32 are 8 apart, and each processor adds in an order of its own.
    run(
        main,
        Config,
        plot=plot,
        tolerance={"shapes.*": EXACT, "variances.mean of squares minus *": Tolerance(absolute=16.0)},
    )
