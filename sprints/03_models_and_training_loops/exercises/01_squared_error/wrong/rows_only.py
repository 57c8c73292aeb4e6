"""Divided by the length of the first axis."""

from torch import Tensor


def mean_squared_error_gradient(predictions: Tensor, targets: Tensor) -> Tensor:
    return 2 * (predictions - targets) / len(predictions)
