"""Three axes i, k and j by broadcasting; then the sum over k."""

from torch import Tensor


def product(left: Tensor, right: Tensor) -> Tensor:
    """Return the matrix product: result[i, j] is the sum over k of left[i, k] * right[k, j]."""
    terms = left[:, :, None] * right[None, :, :]  # (rows, inner, columns)
    return terms.sum(dim=1)


def linear(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return inputs times weight plus bias, for every example."""
    return product(inputs, weight) + bias  # the bias is stretched over the examples
