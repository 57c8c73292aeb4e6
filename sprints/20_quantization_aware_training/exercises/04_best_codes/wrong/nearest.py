"""Rounded to the nearest, with the best of many steps."""

import torch
from torch import Tensor


def best_step(weight: Tensor, hessian: Tensor, codes: Tensor) -> Tensor:
    """Return the step with which each row of integers comes nearest to the outputs of the weights."""
    products = codes @ hessian  # (codes, inputs)
    along, square = products @ weight, (products * codes).sum(-1)  # c^T H w and c^T H c
    # Where all integers are 0 the square is, too: not 0 / 0.
    return torch.where(square > 0, along.clamp(min=0) / square.clamp(min=1e-12), 0.0)


def best_weights(weight: Tensor, hessian: Tensor, bits: int) -> Tensor:
    """Return s c for the integers c and the step s with the least squared error of the outputs."""
    steps = torch.linspace(0.01, 4.0, 800).unsqueeze(1) * weight.abs().max()
    rounded = (weight / steps).round().clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) * steps
    difference = weight - rounded
    errors = (difference @ hessian * difference).sum(-1)
    return rounded[errors.argmin()]
