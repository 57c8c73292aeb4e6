"""The message is made of the target."""

import torch
from torch import Tensor


def receive(features: Tensor, edge_index: Tensor) -> Tensor:
    source, target = edge_index
    return torch.zeros_like(features).index_add(0, target, features[target])
