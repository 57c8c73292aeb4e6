"""Down, ReLU, up, and the way around it; the way up begins with zeros."""

import math

import torch
from torch import Tensor


def start(features: int, width: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return the two matrices of a fresh bottleneck."""
    bound = 1 / math.sqrt(features)
    down = torch.empty(width, features).uniform_(-bound, bound, generator=generator)
    return down, torch.zeros(features, width)  # nothing is added yet, and the gradient of `up` is not zero


def adapt(y: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> Tensor:
    """Return what a bottleneck with ReLU passes on."""
    hidden = (y @ down.mT + down_bias).relu()  # (..., width)
    return y + hidden @ up.mT + up_bias
