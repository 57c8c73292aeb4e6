"""Rows of groups, a step for each, and the old shape again."""

from torch import Tensor


def round_groups(weight: Tensor, bits: int, group: int) -> Tensor:
    """Return a weight after a round trip through symmetric grids, one for each group of a row."""
    grouped = weight.unflatten(1, (-1, group))  # (outputs, groups, group)
    step = grouped.abs().amax(-1, keepdim=True) / (2 ** (bits - 1) - 1)  # (outputs, groups, 1)
    return ((grouped / step).round() * step).flatten(1)
