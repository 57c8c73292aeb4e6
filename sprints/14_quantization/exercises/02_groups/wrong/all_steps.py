"""As many steps above zero as the grid has on both sides."""

from torch import Tensor


def round_groups(weight: Tensor, bits: int, group: int) -> Tensor:
    grouped = weight.unflatten(1, (-1, group))
    step = grouped.abs().amax(-1, keepdim=True) / (2**bits - 1)
    return ((grouped / step).round() * step).flatten(1)
