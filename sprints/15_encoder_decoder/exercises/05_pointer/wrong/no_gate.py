"""Both are added."""

import torch
from torch import Tensor


def copy_distribution(layer: Tensor, weights: Tensor, source: Tensor, gate: Tensor) -> Tensor:
    return layer + torch.zeros_like(layer).scatter_add(1, source.expand_as(weights), weights)
