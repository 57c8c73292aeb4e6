"""Both matrices are random: the model is broken before it learns."""

import math

import torch
from torch import Tensor


def start(features: int, width: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    bound = 1 / math.sqrt(features)
    down = torch.empty(width, features).uniform_(-bound, bound, generator=generator)
    return down, torch.empty(features, width).uniform_(-bound, bound, generator=generator)
