"""All quotients have the same denominator."""

from torch import Tensor


def precision(confusion: Tensor) -> Tensor:
    return confusion.diag() / confusion.sum()
