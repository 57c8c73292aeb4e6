"""A weight in bfloat16 comes back in float32, twice as large."""

from torch import Tensor


def merge(weight: Tensor, down: Tensor, up: Tensor, scale: float, transposed: bool) -> Tensor:
    change = scale * up @ down
    return weight + (change.mT if transposed else change)
