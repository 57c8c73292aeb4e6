"""One transposition too many."""

from torch import Tensor


def split_heads(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (heads, -1)).permute(0, 2, 3, 1)
