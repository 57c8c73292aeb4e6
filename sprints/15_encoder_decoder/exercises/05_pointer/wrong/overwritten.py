"""Of equal tokens one weight stays."""

import torch
from torch import Tensor


def copy_distribution(layer: Tensor, weights: Tensor, source: Tensor, gate: Tensor) -> Tensor:
    points = torch.zeros_like(layer)
    for place in range(len(source)):
        points[:, source[place]] = weights[:, place]
    return gate * layer + (1 - gate) * points
