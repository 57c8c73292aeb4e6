"""Attention in three steps: scores, weights, mean."""

import math

from torch import Tensor


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return softmax(query key^T / sqrt(head_dim)) value: for each query a weighted mean of the values."""
    scores = query @ key.mT / math.sqrt(query.shape[-1])  # (..., queries, keys)
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)  # e^-inf = 0: no weight, and the others still add up to 1
    weights = scores.softmax(dim=-1)  # over the keys
    return weights @ value  # (..., queries, features)
