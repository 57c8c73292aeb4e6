"""The root for one over the root."""

import torch
from torch import Tensor


def normalised_adjacency(edge_index: Tensor, num_nodes: int) -> Tensor:
    source, target = edge_index
    matrix = torch.eye(num_nodes)
    matrix[target, source] = 1
    root = matrix.sum(dim=1).sqrt()
    return root[:, None] * matrix * root
