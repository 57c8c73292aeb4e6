"""Broadcasting is left to choose the axis, and it chooses the last one."""

from torch import Tensor


def merge(weight: Tensor, bias: Tensor, factors: Tensor, of_inputs: bool, transposed: bool) -> tuple[Tensor, Tensor]:
    return weight * factors, bias if of_inputs else bias * factors
