"""How a cost grows: the exponent of a power law, for cost.py and kv_cache.py."""

from collections.abc import Sequence

import numpy as np


def slope(lengths: Sequence[int], values: Sequence[float | int]) -> float:
    """Return the exponent of a power law: the slope of a straight line through the logarithms.

    Raises:
        ValueError: fewer than two lengths.
    """
    if len(lengths) < 2:
        raise ValueError(f"a slope needs two lengths; got {lengths}: give more --lengths, or a smaller --fit-from")
    return float(np.polyfit(np.log(lengths), np.log(values), 1)[0])
