"""First the mean, then the square."""

from torch import Tensor


def mean_squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    return (predictions - targets).mean().square()
