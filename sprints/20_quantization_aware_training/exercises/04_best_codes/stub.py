"""The best codes of a row of weights: try all of them, each with its best step.

Fill in `best_step` and `best_weights`. Then look how far you are:

    uv run sprints check 20.4
    uv run sprints hint 20.4

The example of two weights is that of note 5 of this sprint.
"""

from torch import Tensor


def best_step(weight: Tensor, hessian: Tensor, codes: Tensor) -> Tensor:
    """Return the step with which each row of integers comes nearest to the outputs of the weights.

    The squared error of the outputs is (w - s c)^T H (w - s c). A step is never negative: where every positive step
    does harm, or where all integers are 0, it is 0.

    Args:
        weight: w, (inputs,).
        hessian: H = X^T X of the inputs X (tokens, inputs), of shape (inputs, inputs); it has an inverse.
        codes: a row of integers c in each row, as floating-point numbers, (codes, inputs).

    Returns:
        (codes,): s of each row.
    """
    raise NotImplementedError


def best_weights(weight: Tensor, hessian: Tensor, bits: int) -> Tensor:
    """Return s c for the integers c and the step s with the least squared error of the outputs.

    Args:
        weight: w, (inputs,).
        hessian: H, (inputs, inputs).
        bits: integers go from -2^(bits - 1) to 2^(bits - 1) - 1. `torch.cartesian_prod` makes all rows of them.

    Returns:
        (inputs,)
    """
    raise NotImplementedError
