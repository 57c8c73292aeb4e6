"""The largest weight, not the largest absolute value."""

from torch import Tensor


def round_groups(weight: Tensor, bits: int, group: int) -> Tensor:
    grouped = weight.unflatten(1, (-1, group))
    step = grouped.amax(-1, keepdim=True).clamp(min=1e-6) / (2 ** (bits - 1) - 1)
    return ((grouped / step).round() * step).flatten(1)
