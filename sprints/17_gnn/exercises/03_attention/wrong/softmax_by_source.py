"""Each source shares itself out."""

import torch
from torch import Tensor


def neighbour_attention(values: Tensor, scores: Tensor, edge_index: Tensor) -> Tensor:
    source, target = edge_index
    powers = (scores - scores.max()).exp()
    weights = powers / torch.zeros(len(values)).index_add(0, source, powers)[source]
    return torch.zeros_like(values).index_add(0, target, weights[:, None] * values[source])
