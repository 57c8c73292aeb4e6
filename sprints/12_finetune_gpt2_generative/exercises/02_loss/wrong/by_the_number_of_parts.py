"""Sums divided by the number of parts."""

from torch import Tensor


def mean_of_parts(sums: Tensor, targets: Tensor) -> Tensor:
    return sums.mean()
