"""The best few of many scores."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray


def best(scores: Float[ndarray, " documents"], count: int) -> list[tuple[int, float]]:
    """Return the numbers and scores of the best `count` documents, best first; equal scores by number.

    Only what reaches the score of place `count` is sorted.

    Raises:
        ValueError: count is not positive, or a score is not a number.
    """
    if count < 1:
        raise ValueError(f"the best documents must be at least 1; got {count}")
    if np.isnan(scores).any():
        raise ValueError("scores must be numbers: not one of them can be compared with nan")
    if len(scores) > count:
        last = np.partition(scores, len(scores) - count)[len(scores) - count]
        numbers = np.flatnonzero(scores >= last)
    else:
        numbers = np.arange(len(scores))
    order = np.argsort(-scores[numbers], kind="stable")[:count]
    return [(int(number), float(scores[number])) for number in numbers[order]]
