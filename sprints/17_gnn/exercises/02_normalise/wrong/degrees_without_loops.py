"""Degrees are counted from the edges alone."""

import torch
from torch import Tensor


def normalised_adjacency(edge_index: Tensor, num_nodes: int) -> Tensor:
    source, target = edge_index
    degrees = torch.bincount(target, minlength=num_nodes).float()
    matrix = torch.eye(num_nodes)
    matrix[target, source] = 1
    root = degrees.rsqrt()
    return root[:, None] * matrix * root
