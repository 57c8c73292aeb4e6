"""Both masks compare places: of a key with that of a query, or with the length of its row."""

import torch
from torch import Tensor


def causal_mask(num_queries: int, num_keys: int) -> Tensor:
    """Return who may look where, (num_queries, num_keys): each query sees itself and what came before."""
    key = torch.arange(num_keys)  # (keys,)
    query = torch.arange(num_keys - num_queries, num_keys)[:, None]  # (queries, 1): the last places
    return key <= query  # broadcast to (queries, keys)


def padding_mask(lengths: Tensor, tokens: int) -> Tensor:
    """Return who may look where, (batch, 1, 1, tokens): the first `lengths[row]` tokens of each row are real."""
    real = torch.arange(tokens) < lengths[:, None]  # (batch, tokens)
    return real[:, None, None, :]
