"""The approximation by a sigmoid, of the same paper."""

from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    return x * (1.702 * x).sigmoid()
