"""GELU itself, and not the approximation that GPT-2 was trained with."""

import math

from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + (x / math.sqrt(2)).erf())
