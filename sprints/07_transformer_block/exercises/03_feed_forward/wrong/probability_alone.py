"""The probability without x."""

import math

from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    return 0.5 * (1 + (x / math.sqrt(2)).erf())
