"""Half of the approximation."""

import math

from torch import Tensor


def gelu(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + (math.sqrt(2 / math.pi) * x).tanh())
