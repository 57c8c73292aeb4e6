"""A mean of squares, and two times the error over the number of errors."""

from torch import Tensor


def mean_squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of the squared errors: a tensor without axes."""
    return (predictions - targets).square().mean()


def mean_squared_error_gradient(predictions: Tensor, targets: Tensor) -> Tensor:
    """Return the derivative of the mean squared error by each prediction, without autograd."""
    # One prediction occurs in one square only, whose derivative is 2 * error; the mean divides by how many there are.
    return 2 * (predictions - targets) / predictions.numel()
