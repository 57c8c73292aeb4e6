"""The weight of a place is given to the token of that number."""

import torch
from torch import Tensor


def copy_distribution(layer: Tensor, weights: Tensor, source: Tensor, gate: Tensor) -> Tensor:
    points = torch.zeros_like(layer)
    width = min(layer.shape[1], weights.shape[1])
    points[:, :width] = weights[:, :width]
    return gate * layer + (1 - gate) * points
