"""A grid for each row."""

from torch import Tensor


def round_groups(weight: Tensor, bits: int, group: int) -> Tensor:
    step = weight.abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
    return (weight / step).round() * step
