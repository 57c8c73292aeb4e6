"""The sigmoid for the normal distribution: SiLU."""

from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    return x * x.sigmoid()
