"""Mean squared error and its gradient.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 03.1
    uv run sprints hint 03.1

The first check is the line of note 1, whose numbers you know from paper.
"""

from torch import Tensor


def mean_squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """Return the mean of the squared errors: a tensor without axes.

    Args:
        predictions: what the model says, of any shape.
        targets: what it should have said, of the same shape.
    """
    raise NotImplementedError


def mean_squared_error_gradient(predictions: Tensor, targets: Tensor) -> Tensor:
    """Return the derivative of the mean squared error by each prediction, without autograd.

    Args:
        predictions: of any shape.
        targets: of the same shape.

    Returns:
        of the same shape as the predictions
    """
    raise NotImplementedError
