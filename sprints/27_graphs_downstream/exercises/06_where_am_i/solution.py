"""Random walks of the true graph, rows of whole graphs, and a bias for each distance."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

Pairs = Sequence[tuple[int, int]]


def back(pairs: Pairs, num_nodes: int, steps: int) -> Tensor:
    """Return how probably a walk from each node is back after 1, 2, ... steps: (num_nodes, steps)."""
    walk = torch.zeros(num_nodes, num_nodes)
    for one, other in pairs:
        walk[one, other] = walk[other, one] = 1.0
    walk = walk / walk.sum(dim=1, keepdim=True).clamp(min=1)
    power, found = walk, []
    for _ in range(steps):
        found.append(power.diagonal())
        power = power @ walk
    return torch.stack(found, dim=1)


def rows(batch: Sequence[int]) -> list[list[int]]:
    """Return the nodes of each graph, and refuse a batch that is not sorted."""
    if any(later < earlier for earlier, later in pairwise(batch)):
        raise ValueError("nodes must be sorted by their graph")
    return [[node for node, graph in enumerate(batch) if graph == number] for number in range(max(batch) + 1)]


def weights(scores: Tensor, distances: Tensor, bias: Tensor) -> Tensor:
    """Return the attention weights of scores with a number for each distance: (nodes, nodes)."""
    most = len(bias) - 2
    place = torch.where(distances < 0, most + 1, distances.clamp(max=most))
    return (scores + bias[place]).softmax(dim=1)
