"""A running sum, and a binary search in it."""

import torch
from torch import Tensor


def balancing_weights(labels: Tensor) -> Tensor:
    """Return a weight for each item such that all classes are drawn equally often: 1 / (items of its class)."""
    return 1 / labels.bincount()[labels]


def draw(weights: Tensor, points: Tensor) -> Tensor:
    """Return the items on which points fall."""
    ends = weights.cumsum(dim=0)  # where each piece ends; the last end is the sum
    return torch.searchsorted(ends, points * ends[-1], right=True)
