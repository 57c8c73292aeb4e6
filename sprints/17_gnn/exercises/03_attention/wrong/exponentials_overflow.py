"""No score is taken away first."""

import torch
from torch import Tensor


def neighbour_attention(values: Tensor, scores: Tensor, edge_index: Tensor) -> Tensor:
    source, target = edge_index
    powers = scores.exp()
    weights = powers / torch.zeros(len(values)).index_add(0, target, powers)[target]
    return torch.zeros_like(values).index_add(0, target, weights[:, None] * values[source])
