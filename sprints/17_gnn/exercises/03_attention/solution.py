"""A softmax in groups: the edges of each target by themselves."""

import torch
from torch import Tensor


def neighbour_attention(values: Tensor, scores: Tensor, edge_index: Tensor) -> Tensor:
    """Return for each node a weighted mean of the values of its sources: (num_nodes, features)."""
    source, target = edge_index
    # The largest score of each target goes first, so that no exponential overflows; it cancels.
    largest = torch.zeros(len(values)).scatter_reduce(0, target, scores, reduce="amax", include_self=False)
    powers = (scores - largest[target]).exp()  # (num_edges)
    total = torch.zeros(len(values)).index_add(0, target, powers)
    weights = powers / total[target]  # those of one target add up to 1
    return torch.zeros_like(values).index_add(0, target, weights[:, None] * values[source])
