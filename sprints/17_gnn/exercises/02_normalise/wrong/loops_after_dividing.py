"""Loops are added to the normalised matrix."""

import torch
from torch import Tensor


def normalised_adjacency(edge_index: Tensor, num_nodes: int) -> Tensor:
    source, target = edge_index
    matrix = torch.zeros(num_nodes, num_nodes)
    matrix[target, source] = 1
    root = matrix.sum(dim=1).clamp(min=1).rsqrt()
    return root[:, None] * matrix * root + torch.eye(num_nodes)
