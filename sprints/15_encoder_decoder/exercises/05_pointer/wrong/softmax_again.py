"""Probabilities go through a softmax."""

import torch
from torch import Tensor


def copy_distribution(layer: Tensor, weights: Tensor, source: Tensor, gate: Tensor) -> Tensor:
    points = torch.zeros_like(layer).scatter_add(1, source.expand_as(weights), weights)
    return (gate * layer + (1 - gate) * points).softmax(dim=-1)
