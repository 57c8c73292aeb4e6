"""The features of the heads are mixed."""

from torch import Tensor


def merge_heads(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).flatten(2)
