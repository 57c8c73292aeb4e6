"""GPTQ for one row of a weight: the error of each rounded weight goes to those that are not rounded yet.

Fill in `round_row`. Then look how far you are:

    uv run sprints check 14.5
    uv run sprints hint 14.5

Why the error can be made up for, and by how much: note 12 of this sprint.
"""

from torch import Tensor


def round_row(weight: Tensor, hessian: Tensor, step: float) -> Tensor:
    """Return a row of weights on a grid, so that what they make of the inputs changes little.

    Go from left to right. Round a weight to the nearest multiple of the step; then move the weights to its right to
    where the squared error of the outputs is least, given all that was rounded so far.

    Args:
        weight: (inputs,); no number lies in the middle between two points of the grid when it is reached.
        hessian: H = X^T X of the inputs X (tokens, inputs), of shape (inputs, inputs); it has an inverse.
        step: the grid is made of its multiples, and has no end.

    Returns:
        (inputs,): multiples of the step.
    """
    raise NotImplementedError
