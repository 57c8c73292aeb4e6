"""Gradient descent.

Fit a line by gradient descent, with PyTorch's autograd. Then look how far you are, as often as you like:

    uv run sprints check 01.6
    uv run sprints hint 01.6

Theory: notes 7 and 8 of this sprint.
"""

from torch import Tensor


def fit_line(inputs: Tensor, targets: Tensor, learning_rate: float, steps: int) -> Tensor:
    """Return slope and intercept, as a tensor of shape (2,), after so many steps of gradient descent from (0, 0).

    Each step computes the predictions slope * inputs + intercept, the loss, which is the mean of the squared
    differences from the targets, and the gradient of the loss by slope and intercept; then it moves both by minus the
    learning rate times their gradient.

    Args:
        inputs: (n,)
        targets: (n,)
        learning_rate: how far to go for each unit of gradient.
        steps: how many.
    """
    raise NotImplementedError
