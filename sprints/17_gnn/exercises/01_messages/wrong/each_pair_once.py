"""A matrix of zeros and ones forgets how often an edge is listed."""

import torch
from torch import Tensor


def receive(features: Tensor, edge_index: Tensor) -> Tensor:
    source, target = edge_index
    matrix = torch.zeros(len(features), len(features))
    matrix[target, source] = 1
    return matrix @ features
