"""Errors among the surest answers, by the share of questions that are answered."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

COVERAGES = tuple(round(0.1 * step, 1) for step in range(1, 11))  # shares of questions that are answered


def errors_by_coverage(sure: Sequence[float | int], errors: Sequence[float | int]) -> Float[ndarray, " coverages"]:
    """Return the share of errors among the surest answers, for each coverage; equally sure ones in random order."""
    levels, expected = np.array(sure), np.array(errors, dtype=float)
    for level in np.unique(levels):
        expected[levels == level] = expected[levels == level].mean()  # in random order each is as probable an error
    found = np.concatenate([[0.0], expected[np.argsort(-levels, kind="stable")].cumsum()])
    counts = np.array(COVERAGES) * len(expected)
    return np.interp(counts, np.arange(len(found)), found) / counts
