"""The base is changed where it stands: the next customer gets this one's factors."""

from torch import Tensor


def merge(weight: Tensor, bias: Tensor, factors: Tensor, of_inputs: bool, transposed: bool) -> tuple[Tensor, Tensor]:
    weight *= factors if of_inputs != transposed else factors[:, None]
    return weight, bias if of_inputs else bias * factors
