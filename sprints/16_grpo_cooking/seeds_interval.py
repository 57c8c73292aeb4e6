"""The mean over runs that differ in their seed, with its interval."""

import math
import statistics

# 97.5 % quantiles of Student's t for 1, 2, ... degrees of freedom
_QUANTILES = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)


def interval(values: list[float]) -> tuple[float, float]:
    """Return the mean, and half of its 95 % interval (0 for a single run; a little too wide for more than ten)."""
    if len(values) == 1:
        return values[0], 0.0
    quantile = _QUANTILES[min(len(values), 10) - 2]
    return statistics.mean(values), quantile * statistics.stdev(values) / math.sqrt(len(values))
