"""The root of 2 is forgotten."""

from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    return x * 0.5 * (1 + x.erf())
