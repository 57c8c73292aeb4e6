"""How sure is a mean over queries, and is one ranking better than another? By resampling the queries."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A mean over queries, and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """By how much one ranking is better than another on the same queries, and the p-value of no difference at all."""

    mean: float
    low: float
    high: float
    p: float


def mean_over_queries(values: Sequence[float], generator: np.random.Generator, resamples: int = 2000) -> Estimate:
    """Return a mean with its interval by the bootstrap: means of as many queries, drawn with replacement.

    Raises:
        ValueError: there are fewer than two queries.
    """
    measured = _checked(values)
    drawn = generator.integers(len(measured), size=(resamples, len(measured)))
    low, high = np.quantile(measured[drawn].mean(axis=1), [0.025, 0.975])
    return Estimate(float(measured.mean()), float(low), float(high))


def compare(
    better: Sequence[float], worse: Sequence[float], generator: np.random.Generator, resamples: int = 2000
) -> Difference:
    """Return the mean of the differences, query by query, with its interval and a p-value.

    The interval comes from the bootstrap. The p-value is that of the randomization test: if the two were the same, each
    difference could as well have the other sign. How many of the means with random signs are as far from 0?

    Raises:
        ValueError: the two have not the same queries, or fewer than two.
    """
    if len(better) != len(worse):
        raise ValueError(f"both must have the same queries; got {len(better)} and {len(worse)} values")
    differences = _checked(better) - _checked(worse)
    estimate = mean_over_queries(differences.tolist(), generator, resamples)
    signs = generator.integers(2, size=(resamples, len(differences))) * 2 - 1
    # As far but for rounding: equal sums in another order differ in their last digit.
    far = np.abs((signs * differences).mean(axis=1)) >= abs(estimate.mean) - 1e-12
    return Difference(estimate.mean, estimate.low, estimate.high, float((far.sum() + 1) / (resamples + 1)))


def _checked(values: Sequence[float]) -> np.ndarray:
    if len(values) < 2:
        raise ValueError(f"an interval over queries needs at least two; got {len(values)}")
    return np.asarray(values, dtype=float)
