"""Attention over places becomes probabilities of tokens."""

import torch
from torch import Tensor


def copy_distribution(layer: Tensor, weights: Tensor, source: Tensor, gate: Tensor) -> Tensor:
    """Return gate x layer + (1 - gate) x the attention to the source places that hold each token."""
    # Added up, so that a token that stands twice gets both weights.
    pointed_at = torch.zeros_like(layer).scatter_add(1, source.expand_as(weights), weights)  # (answers, vocab)
    return gate * layer + (1 - gate) * pointed_at
