"""Each node mixes what it holds itself."""

import torch
from torch import Tensor


def neighbour_attention(values: Tensor, scores: Tensor, edge_index: Tensor) -> Tensor:
    source, target = edge_index
    largest = torch.zeros(len(values)).scatter_reduce(0, target, scores, reduce="amax", include_self=False)
    powers = (scores - largest[target]).exp()
    weights = powers / torch.zeros(len(values)).index_add(0, target, powers)[target]
    return torch.zeros_like(values).index_add(0, target, weights[:, None] * values[target])
