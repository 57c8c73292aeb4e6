"""The original transformer's activation."""

from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    return x.clamp(min=0)
