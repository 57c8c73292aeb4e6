"""The bias is scaled by factors of inputs as well."""

from torch import Tensor


def merge(weight: Tensor, bias: Tensor, factors: Tensor, of_inputs: bool, transposed: bool) -> tuple[Tensor, Tensor]:
    merged = weight * factors if of_inputs != transposed else weight * factors[:, None]
    return merged, bias * factors
