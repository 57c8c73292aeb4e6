"""The axes of heads and head_dim are exchanged."""

from torch import Tensor


def split_heads(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)
