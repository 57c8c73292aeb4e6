"""Attention (Vaswani et al. 2017, section 3.2).

`attend` is all of it, for queries, keys and values that are there; `MultiHeadAttention` makes them, in several heads.
Masks are boolean everywhere, True where a query may look: `shared/nn/masks.py`.
"""

import math

from jaxtyping import Bool, Float
from torch import Tensor, nn

from shared.nn.cache import KeyValueCache
from shared.nn.kernels import PackedProjection, fused_attend
from shared.nn.masks import causal_mask

Queries = Float[Tensor, "batch heads queries head_dim"]
Keys = Float[Tensor, "batch heads keys head_dim"]
KeysAndValues = tuple[Keys, Keys]


def attend(
    query: Queries,
    key: Keys,
    value: Float[Tensor, "batch heads keys features"],
    mask: Bool[Tensor, "... keys"] | None = None,
) -> tuple[Float[Tensor, "batch heads queries features"], Float[Tensor, "batch heads queries keys"]]:
    """Return each query's weighted mean of the values, and the weights: softmax(query key^T / sqrt(head_dim)).

    The mask is broadcast to (batch, heads, queries, keys). A query that may look nowhere gets zeros.
    """
    # Dot products of entries of variance 1 have variance head_dim; divided by its root, softmax is not saturated.
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)
    if mask is not None:
        # Softmax over nothing is 0 / 0; "no information" is what such a row means.
        weights = weights.masked_fill(~mask.any(dim=-1, keepdim=True), 0.0)
    return weights @ value, weights


def split_heads(x: Float[Tensor, "batch tokens features"], heads: int) -> Float[Tensor, "batch heads tokens head_dim"]:
    """Return the features of each token cut into heads."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def merge_heads(x: Float[Tensor, "batch heads tokens head_dim"]) -> Float[Tensor, "batch tokens features"]:
    """Return the heads of each token side by side: what `split_heads` undoes."""
    return x.transpose(1, 2).flatten(2)


class MultiHeadAttention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, section 3.2.2), self or cross.

    Args:
        d_model: features of each token.
        heads: attention heads; each gets d_model / heads features.
        dropout: probability with which an attention weight is dropped in training.
        bias: whether the projections add a bias.

    Raises:
        ValueError: d_model is not a multiple of heads.
    """

    def __init__(self, d_model: int, heads: int, dropout: float = 0.0, bias: bool = True) -> None:
        super().__init__()
        if d_model % heads:
            raise ValueError(f"d_model must be a multiple of heads; got d_model={d_model} and heads={heads}")
        self.heads = heads
        self.dropout = dropout
        self.qkv = PackedProjection(d_model, bias)
        self.output = nn.Linear(d_model, d_model, bias=bias)

    def forward(
        self,
        x: Float[Tensor, "batch queries d_model"],
        memory: Float[Tensor, "batch keys d_model"] | KeysAndValues | None = None,
        mask: Bool[Tensor, "... keys_seen"] | None = None,
        causal: bool = False,
        cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "batch queries d_model"]:
        """Return what each token of `x` gathers from `memory` (default: from `x` itself).

        Args:
            x: the tokens that ask.
            memory: the tokens that are looked at, or what `remember` made of them.
            mask: True where a query may look, broadcast to (batch, heads, queries, keys).
            causal: hide the future as well.
            cache: keys and values of earlier tokens, which are looked at too; the new ones are appended.
        """
        query, key, value = self.project(x, memory)
        if cache is not None:
            key, value = cache.append(key, value)
        # What `attend` returns, without the weights: these alone would need most of the memory.
        mixed = fused_attend(query, key, value, mask, causal, self.dropout if self.training else 0.0)
        return self.output(merge_heads(mixed))

    def forward_with_weights(
        self,
        x: Float[Tensor, "batch queries d_model"],
        memory: Float[Tensor, "batch keys d_model"] | KeysAndValues | None = None,
        mask: Bool[Tensor, "... keys"] | None = None,
        causal: bool = False,
    ) -> tuple[Float[Tensor, "batch queries d_model"], Float[Tensor, "batch heads queries keys"]]:
        """Return what `forward` returns, and the attention weights, by the explicit path (without dropout)."""
        query, key, value = self.project(x, memory)
        if causal:
            past = causal_mask(query.shape[2], key.shape[2], x.device)
            mask = past if mask is None else mask & past
        mixed, weights = attend(query, key, value, mask)
        return self.output(merge_heads(mixed)), weights

    def project(
        self,
        x: Float[Tensor, "batch queries d_model"],
        memory: Float[Tensor, "batch keys d_model"] | KeysAndValues | None = None,
    ) -> tuple[Queries, Keys, Keys]:
        """Return queries of `x`, and keys and values of the memory (default: of `x` itself), cut into heads."""
        if memory is None:
            query, key, value = (split_heads(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
            return query, key, value
        query = split_heads(self.qkv.query(x), self.heads)
        key, value = self.remember(memory) if isinstance(memory, Tensor) else memory
        return query, key, value

    def remember(self, memory: Float[Tensor, "batch keys d_model"]) -> KeysAndValues:
        """Return the keys and values of a memory: a decoder needs them at each step, but they stay the same."""
        key, value = self.qkv.key_and_value(memory)
        return split_heads(key, self.heads), split_heads(value, self.heads)
