"""The matrix product.

Fill in both functions without `@`, `matmul` or `einsum`. Then look how far you are, as often as you like:

    uv run sprints check 01.3
    uv run sprints hint 01.3

Theory: note 5 of this sprint.
"""

from torch import Tensor


def product(left: Tensor, right: Tensor) -> Tensor:
    """Return the matrix product: result[i, j] is the sum over k of left[i, k] * right[k, j].

    Args:
        left: (rows, inner)
        right: (inner, columns)

    Returns:
        (rows, columns)
    """
    raise NotImplementedError


def linear(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return inputs times weight plus bias, for every example: the layer that all networks are made of.

    Args:
        inputs: (examples, features)
        weight: (features, outputs)
        bias: (outputs,)

    Returns:
        (examples, outputs)
    """
    raise NotImplementedError
