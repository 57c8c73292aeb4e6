"""Divided by the number of messages."""

import torch
from torch import Tensor


def receive(features: Tensor, edge_index: Tensor) -> Tensor:
    source, target = edge_index
    count = torch.bincount(target, minlength=len(features)).clamp(min=1)[:, None]
    return torch.zeros_like(features).index_add(0, target, features[source]) / count
