"""Gather by source, then add by target."""

import torch
from torch import Tensor


def receive(features: Tensor, edge_index: Tensor) -> Tensor:
    """Return for each node the sum of what the sources of its edges hold: (num_nodes, features)."""
    source, target = edge_index
    messages = features[source]  # (num_edges, features)
    return torch.zeros_like(features).index_add(0, target, messages)
