"""The gate is the share of the pointer."""

import torch
from torch import Tensor


def copy_distribution(layer: Tensor, weights: Tensor, source: Tensor, gate: Tensor) -> Tensor:
    points = torch.zeros_like(layer).scatter_add(1, source.expand_as(weights), weights)
    return (1 - gate) * layer + gate * points
