"""Attention with fewer heads of keys and values than of queries, for grouped_query.py and fewer_key_value_heads.py."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from shared.nn.attention import attend
from shared.nn.grouped_query import GroupedQueryAttention
from shared.nn.masks import causal_mask


def check_groups(heads: int, key_value_heads: Sequence[int]) -> None:
    """Check that heads can be parted into groups of equal size, one for each key-value head.

    Raises:
        ValueError: a number of key-value heads does not divide that of the heads.
    """
    if wrong := [count for count in key_value_heads if heads % count]:
        raise ValueError(f"each of --key-value-heads must divide {heads}, the heads that share them; got {wrong[0]}")


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


class OneProductAttention(GroupedQueryAttention):
    """The layer of `shared/nn/grouped_query.py`, with `grouped_attend` where that one copies keys and values."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return causal attention, (batch, heads, queries, head_dim)."""
        past = causal_mask(query.shape[2], key.shape[2], query.device)
        return grouped_attend(query, key, value, past if mask is None else past & mask)

    @torch.no_grad()
    def average_heads(self, key_value_heads: int) -> None:
        """Replace each group of neighbouring key-value heads by its mean (Ainslie et al. 2023, section 2.1)."""
        for layer in (self.key, self.value):
            heads = layer.weight.unflatten(0, (self.key_value_heads, -1))  # (key-value heads, head_dim, d_model)
            groups = heads.unflatten(0, (key_value_heads, -1))
            layer.weight = nn.Parameter(groups.mean(dim=1).flatten(0, 1))
        self.key_value_heads = key_value_heads
