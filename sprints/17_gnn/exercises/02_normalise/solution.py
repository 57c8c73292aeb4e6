"""Write the ones, add the loops, count, and divide by both roots."""

import torch
from torch import Tensor


def normalised_adjacency(edge_index: Tensor, num_nodes: int) -> Tensor:
    """Return D^-1/2 (A + I) D^-1/2: (num_nodes, num_nodes)."""
    source, target = edge_index
    matrix = torch.eye(num_nodes)  # the loops
    matrix[target, source] = 1
    root = matrix.sum(dim=1).rsqrt()  # (num_nodes), of the degrees with loops; never of 0
    return root[:, None] * matrix * root
