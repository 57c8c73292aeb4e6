"""How well a figure is known: 95 % intervals of a mean over seeds, of a share, of a median of paired measurements."""

import math
import statistics
from collections.abc import Sequence

import torch
from scipy.special import stdtrit

MeanInterval = tuple[float, float | None]  # a mean, and half of its 95 % interval: None where there is none


def mean_interval(values: Sequence[float]) -> MeanInterval:
    """Return the mean and half of its 95 % interval: t s / sqrt(n), with Student's t of n - 1 degrees of freedom.

    The half is None for a single value, which says nothing of how far others would be from it.
    """
    if len(values) == 1:
        return values[0], None
    quantile = float(stdtrit(len(values) - 1, 0.975))
    return statistics.mean(values), quantile * statistics.stdev(values) / math.sqrt(len(values))


def show_interval(mean: float, half: float | None, form: str) -> str:
    """Return what `mean_interval` gives as text, both numbers in a format of Python's: "81.4% +- 0.3%"."""
    return f"{mean:{form}} (one value: no interval)" if half is None else f"{mean:{form}} +- {half:{form.lstrip('+')}}"


def error_bars(halves: Sequence[float | None]) -> list[float]:
    """Return halves of intervals as Matplotlib takes them: no bar where there is no interval."""
    return [math.nan if half is None else half for half in halves]


def share_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a share (Wilson 1927).

    Raises:
        ValueError: no trials, or successes that are not from 0 to so many.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise ValueError(f"a share needs trials, and from 0 to so many successes; got {successes} of {trials}")
    from scipy.stats import binomtest  # it takes a second to import

    interval = binomtest(successes, trials).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def median_interval(
    values: Sequence[float], generator: torch.Generator, resamples: int = 2000
) -> tuple[float, float, float]:
    """Return the median, and the ends of its 95 % interval by the bootstrap (Efron 1979): medians of resampled values.

    Args:
        values: for example the ratios of two times that were measured in turns.
        generator: draws the resamples.
        resamples: how many.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("a median needs at least one value")
    measured = torch.tensor(values, dtype=torch.double)
    drawn = measured[torch.randint(len(measured), (resamples, len(measured)), generator=generator)]
    low, high = drawn.median(dim=1).values.quantile(torch.tensor([0.025, 0.975], dtype=torch.double)).tolist()
    return statistics.median(values), low, high
