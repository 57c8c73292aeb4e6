"""The change is taken away, as unmerging would."""

from torch import Tensor


def merge(weight: Tensor, down: Tensor, up: Tensor, scale: float, transposed: bool) -> Tensor:
    change = scale * up @ down
    return (weight - (change.mT if transposed else change)).to(weight.dtype)
