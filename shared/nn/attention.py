"""Attention (Vaswani et al. 2017, section 3.2), its masks and its key-value cache.

Masks are boolean everywhere: True where a query may look.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

Queries = Float[Tensor, "batch heads queries head_dim"]
Keys = Float[Tensor, "batch heads keys head_dim"]


def causal_mask(queries: int, keys: int | None = None, device: torch.device | None = None) -> Bool[Tensor, "q k"]:
    """Return the look-ahead mask of the last `queries` of `keys` positions: each sees itself and what came before."""
    keys = queries if keys is None else keys
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


def padding_mask(lengths: Int[Tensor, " batch"], tokens: int) -> Bool[Tensor, "batch 1 1 tokens"]:
    """Return the mask that hides what pads each row on the right, for all heads and queries."""
    return (torch.arange(tokens, device=lengths.device) < lengths[:, None])[:, None, None, :]


def attend(
    query: Queries,
    key: Keys,
    value: Keys,
    mask: Bool[Tensor, "... keys"] | None = None,
) -> tuple[Queries, Float[Tensor, "batch heads queries keys"]]:
    """Return each query's weighted mean of the values, and the weights: softmax(query key^T / sqrt(head_dim)).

    The mask is broadcast to (batch, heads, queries, keys). A query that may look nowhere gets zeros.
    """
    # Unit-variance dot products have variance head_dim; dividing by its root keeps softmax unsaturated.
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)
    if mask is not None:
        # Softmax over nothing is 0 / 0; "no information" is what such a row means.
        weights = weights.masked_fill(~mask.any(dim=-1, keepdim=True), 0.0)
    return weights @ value, weights


def fused_attend(
    query: Queries,
    key: Keys,
    value: Keys,
    mask: Bool[Tensor, "... keys"] | None = None,
    causal: bool = False,
    dropout: float = 0.0,
) -> Queries:
    """Return what `attend` returns, without the weights, by PyTorch's fused kernel or, where faster, three products.

    Args:
        query, key, value: as in `attend`.
        mask: as in `attend`.
        causal: hide the future as well; the queries are the last of the keys' positions.
        dropout: probability with which a weight is dropped (0 in evaluation).
    """
    queries, keys = query.shape[2], key.shape[2]
    if causal and queries == 1:
        causal = False  # the last position sees all there is
    if causal and (mask is not None or queries < keys):
        past = causal_mask(queries, keys, query.device)
        mask, causal = past if mask is None else mask & past, False
    if query.dtype is torch.bfloat16 and query.device.type == "cpu" and query.requires_grad:
        return _attend_by_products(query, key, value, causal_mask(queries, keys) if causal else mask, dropout)
    return functional.scaled_dot_product_attention(query, key, value, mask, dropout, causal)


def _attend_by_products(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout: float = 0.0) -> Tensor:
    """Attend with plain matrix products: on CPUs the fused kernel is slow in the backward pass of bfloat16."""
    batch, heads, queries, head_dim = query.shape
    bias, empty = query.new_zeros(1, 1, 1), None
    if mask is not None:
        # A row that may look nowhere looks everywhere for now: softmax over nothing would pass NaN back.
        empty = ~mask.any(dim=-1, keepdim=True)
        seen = mask | empty
        if seen.dim() > 2:
            seen, empty = (m.expand(batch, heads, queries, -1).flatten(0, 1) for m in (seen, empty))
        bias = bias.masked_fill(~seen, -math.inf)
    # Adding the mask within the product saves a pass over the scores, the largest tensor here.
    scores = torch.baddbmm(bias, query.flatten(0, 1), key.flatten(0, 1).mT, alpha=1 / math.sqrt(head_dim))
    weights = scores.softmax(dim=-1, dtype=query.dtype)
    if empty is not None and empty.any():
        weights = weights.masked_fill(empty, 0.0)
    if dropout:
        weights = functional.dropout(weights, dropout)
    return (weights @ value.flatten(0, 1)).unflatten(0, (batch, heads))


class KeyValueCache:
    """The keys and values of the tokens so far, so that a new token costs one query instead of a whole pass.

    Room for `max_tokens` is taken at once; `length` says how much of it is filled.
    """

    def __init__(
        self,
        batch: int,
        heads: int,
        max_tokens: int,
        head_dim: int,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> None:
        self.keys = torch.zeros(batch, heads, max_tokens, head_dim, dtype=dtype, device=device)
        self.values = torch.zeros_like(self.keys)
        self.length = 0

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Store the keys and values (batch, heads, new tokens, head_dim) and return all so far.

        Raises:
            ValueError: more tokens than there is room for.
        """
        start, self.length = self.length, self.length + key.shape[2]
        if self.length > self.keys.shape[2]:
            raise ValueError(f"the cache has room for {self.keys.shape[2]} tokens; it would have to hold {self.length}")
        self.keys[:, :, start : self.length] = key
        self.values[:, :, start : self.length] = value
        return self.keys[:, :, : self.length], self.values[:, :, : self.length]


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
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=bias)
        self.output = nn.Linear(d_model, d_model, bias=bias)

    def forward(
        self,
        x: Float[Tensor, "batch queries d_model"],
        memory: Float[Tensor, "batch keys d_model"] | tuple[Keys, Keys] | None = None,
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
        query, key, value = self._project(x, memory)
        if cache is not None:
            key, value = cache.append(key, value)
        mixed = fused_attend(query, key, value, mask, causal, self.dropout if self.training else 0.0)
        return self.output(mixed.transpose(1, 2).flatten(2))

    def forward_with_weights(
        self,
        x: Float[Tensor, "batch queries d_model"],
        memory: Float[Tensor, "batch keys d_model"] | tuple[Keys, Keys] | None = None,
        mask: Bool[Tensor, "... keys"] | None = None,
        causal: bool = False,
    ) -> tuple[Float[Tensor, "batch queries d_model"], Float[Tensor, "batch heads queries keys"]]:
        """Return what `forward` returns, and the attention weights, by the explicit path (without dropout)."""
        query, key, value = self._project(x, memory)
        if causal:
            past = causal_mask(query.shape[2], key.shape[2], x.device)
            mask = past if mask is None else mask & past
        mixed, weights = attend(query, key, value, mask)
        return self.output(mixed.transpose(1, 2).flatten(2)), weights

    def remember(self, memory: Float[Tensor, "batch keys d_model"]) -> tuple[Keys, Keys]:
        """Return the keys and values of a memory: a decoder needs them at each step, but they stay the same."""
        d_model = memory.shape[-1]
        bias = None if self.qkv.bias is None else self.qkv.bias[d_model:]
        both = functional.linear(memory, self.qkv.weight[d_model:], bias)
        key, value = both.unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return key, value

    def _project(self, x: Tensor, memory: Tensor | tuple[Keys, Keys] | None) -> tuple[Queries, Keys, Keys]:
        """Return queries, keys and values, each (batch, heads, tokens, head_dim)."""
        if memory is None:
            query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
            return query, key, value
        # Queries come from x, keys and values from the memory: the same packed weights, cut in two.
        d_model = x.shape[-1]
        bias = None if self.qkv.bias is None else self.qkv.bias[:d_model]
        query = functional.linear(x, self.qkv.weight[:d_model], bias).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        return query, *(self.remember(memory) if isinstance(memory, Tensor) else memory)
