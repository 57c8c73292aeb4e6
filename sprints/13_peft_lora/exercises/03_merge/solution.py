"""The change in the layout of the weight, added in float32, rounded once."""

from torch import Tensor


def merge(weight: Tensor, down: Tensor, up: Tensor, scale: float, transposed: bool) -> Tensor:
    """Return a new weight with the adapter in it."""
    change = scale * up @ down  # (out, in)
    return (weight + (change.mT if transposed else change)).to(weight.dtype)
