"""Groups of weights that are far apart in the row."""

from torch import Tensor


def round_groups(weight: Tensor, bits: int, group: int) -> Tensor:
    grouped = weight.unflatten(1, (group, -1))
    step = grouped.abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
    return ((grouped / step).round() * step).flatten(1)
