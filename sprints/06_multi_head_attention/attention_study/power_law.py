"""How a cost grows: the exponent of a power law, for cost.py and kv_cache.py."""

from collections.abc import Sequence

import numpy as np


def check_lengths(lengths: Sequence[int], fit_from: int) -> None:
    """Check that a slope can be fitted to lengths from a certain one on.

    Raises:
        ValueError: fewer than two different ones.
    """
    if len({length for length in lengths if length >= fit_from}) < 2:
        raise ValueError(
            f"a slope needs two lengths; got --lengths {' '.join(map(str, lengths))} and --fit-from {fit_from}: give "
            "more lengths, or fit from a smaller one"
        )


def slope(lengths: Sequence[int], values: Sequence[float | int]) -> float:
    """Return the exponent of a power law: the slope of a straight line through the logarithms."""
    return float(np.polyfit(np.log(lengths), np.log(values), 1)[0])
