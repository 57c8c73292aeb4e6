"""Conv1D's layout is forgotten."""

from torch import Tensor


def merge(weight: Tensor, down: Tensor, up: Tensor, scale: float, transposed: bool) -> Tensor:
    return (weight + (scale * up @ down).reshape(weight.shape)).to(weight.dtype)
