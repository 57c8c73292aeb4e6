"""One grid for all."""

from torch import Tensor


def round_groups(weight: Tensor, bits: int, group: int) -> Tensor:
    step = weight.abs().max() / (2 ** (bits - 1) - 1)
    return (weight / step).round() * step
