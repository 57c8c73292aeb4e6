"""Masks of attention: boolean, True where a query may look, broadcast to (batch, heads, queries, keys).

Combine them with `&`: a query may look where all of them let it.
"""

import torch
from jaxtyping import Bool, Int
from torch import Tensor


def causal_mask(
    num_queries: int, num_keys: int | None = None, device: torch.device | None = None
) -> Bool[Tensor, "queries keys"]:
    """Return the look-ahead mask of the last queries of `num_keys` positions: each sees itself and what came before."""
    num_keys = num_queries if num_keys is None else num_keys
    return torch.ones(num_queries, num_keys, dtype=torch.bool, device=device).tril(num_keys - num_queries)


def padding_mask(lengths: Int[Tensor, " batch"], tokens: int) -> Bool[Tensor, "batch 1 1 tokens"]:
    """Return the mask that hides what pads each row on the right, for all heads and queries."""
    return (torch.arange(tokens, device=lengths.device) < lengths[:, None])[:, None, None, :]


def for_all_queries(real: Bool[Tensor, "batch keys"] | None) -> Bool[Tensor, "batch 1 1 keys"] | None:
    """Return the mask that hides each row's padding, given which of its tokens are real (None: all of them)."""
    return None if real is None else real[:, None, None, :]
