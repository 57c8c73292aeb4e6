"""The mean runs over the last axis."""

from torch import Tensor


def mean_squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    return (predictions - targets).square().mean(-1)
