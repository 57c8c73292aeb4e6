"""Factors of outputs multiply rows and the bias, factors of inputs multiply columns."""

from torch import Tensor


def merge(weight: Tensor, bias: Tensor, factors: Tensor, of_inputs: bool, transposed: bool) -> tuple[Tensor, Tensor]:
    """Return a weight and a bias with the factors in them."""
    # The factors lie along the last axis where this axis is theirs: inputs of (out, in), outputs of (in, out).
    merged = weight * factors if of_inputs != transposed else weight * factors[:, None]
    return merged, bias.clone() if of_inputs else bias * factors
