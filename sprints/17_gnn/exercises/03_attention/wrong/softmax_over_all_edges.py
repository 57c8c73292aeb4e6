"""One softmax for the whole graph."""

import torch
from torch import Tensor


def neighbour_attention(values: Tensor, scores: Tensor, edge_index: Tensor) -> Tensor:
    source, target = edge_index
    weights = scores.softmax(dim=0)
    return torch.zeros_like(values).index_add(0, target, weights[:, None] * values[source])
