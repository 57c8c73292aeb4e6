"""The heads stay behind the tokens."""

from torch import Tensor


def split_heads(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1))
