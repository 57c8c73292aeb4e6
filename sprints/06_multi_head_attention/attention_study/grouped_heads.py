"""Attention with fewer heads of keys and values than of queries, for grouped_query.py and fewer_key_value_heads.py."""

import math

import torch
from torch import Tensor, nn

from shared.nn.attention import KeyValueCache, attend, causal_mask


def repeated_attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the same as `grouped_attend`, the simple way: each key-value head is copied for its query heads."""
    copies = query.shape[1] // key.shape[1]
    return attend(query, key.repeat_interleave(copies, dim=1), value.repeat_interleave(copies, dim=1), mask)[0]


def grouped_attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return attention in which each key-value head serves a group of query heads.

    Args:
        query: (batch, heads, queries, head_dim).
        key, value: (batch, key_value_heads, keys, head_dim).
        mask: True where a query may look, (queries, keys).

    Raises:
        ValueError: heads is not a multiple of key_value_heads.
    """
    heads, groups = query.shape[1], key.shape[1]
    if heads % groups:
        raise ValueError(f"heads must be a multiple of key_value_heads; got {heads} and {groups}")
    # The heads of a group stand below each other as queries of one head, so that no key is copied.
    together = query.unflatten(1, (groups, -1)).flatten(2, 3)  # (batch, groups, heads of a group * queries, head_dim)
    scores = (together @ key.mT / math.sqrt(query.shape[-1])).unflatten(2, (heads // groups, -1))
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    mixed = scores.softmax(dim=-1).flatten(2, 3) @ value
    return mixed.unflatten(2, (heads // groups, -1)).flatten(1, 2)  # (batch, heads, queries, head_dim)


class GroupedQueryAttention(nn.Module):
    """Causal self-attention with fewer heads of keys and values than of queries (Ainslie et al. 2023).

    With as many it is multi-head attention, with one it is multi-query attention (Shazeer 2019).

    Raises:
        ValueError: d_model is not a multiple of heads, or heads not of key_value_heads.
    """

    def __init__(self, d_model: int, heads: int, key_value_heads: int) -> None:
        super().__init__()
        if d_model % heads or heads % key_value_heads:
            raise ValueError(
                "d_model must be a multiple of heads, and heads of key_value_heads; "
                f"got d_model={d_model}, heads={heads}, key_value_heads={key_value_heads}"
            )
        self.head_dim = d_model // heads
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.key = nn.Linear(d_model, key_value_heads * self.head_dim, bias=False)
        self.value = nn.Linear(d_model, key_value_heads * self.head_dim, bias=False)
        self.output = nn.Linear(d_model, d_model, bias=False)

    def forward(self, x: Tensor, cache: KeyValueCache | None = None) -> Tensor:
        query, key, value = (
            layer(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )  # each (batch, heads or key_value_heads, tokens, head_dim)
        if cache is not None:
            key, value = cache.append(key, value)
        mixed = grouped_attend(query, key, value, causal_mask(query.shape[2], key.shape[2], x.device))
        return self.output(mixed.transpose(1, 2).flatten(2))

    @torch.no_grad()
    def average_heads(self, key_value_heads: int) -> None:
        """Replace each group of neighbouring key-value heads by its mean (Ainslie et al. 2023, section 2.1)."""
        for layer in (self.key, self.value):
            groups = layer.weight.unflatten(0, (key_value_heads, -1, self.head_dim))
            layer.weight = nn.Parameter(groups.mean(dim=1).flatten(0, 1))
