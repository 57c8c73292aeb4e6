"""Queries and keys get the length 1."""

import math

import torch
from torch import Tensor


def normalise(x: Tensor, gain: Tensor, epsilon: float) -> Tensor:
    """Return vectors of root mean square 1, times the gain."""
    return x / (x.square().sum(dim=-1, keepdim=True) + epsilon).sqrt() * gain


def grouped_attention(
    query: Tensor, key: Tensor, value: Tensor, query_gain: Tensor, key_gain: Tensor, epsilon: float
) -> Tensor:
    """Return causal attention in which several query heads share a head of keys and values."""
    heads, tokens, head_dim = query.shape
    size = heads // len(key)
    query, key = normalise(query, query_gain, epsilon), normalise(key, key_gain, epsilon)
    key, value = key.repeat_interleave(size, dim=0), value.repeat_interleave(size, dim=0)
    scores = query @ key.mT / math.sqrt(head_dim)
    future = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
    return scores.masked_fill(future, -math.inf).softmax(dim=-1) @ value
