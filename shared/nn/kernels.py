"""Behind the door of attention: the same numbers as by the formulas, faster.

PyTorch's fused kernel, plain products where that one is slow, and three projections as one matrix.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.masks import causal_mask


def fused_attend(
    query: Float[Tensor, "batch heads queries head_dim"],
    key: Float[Tensor, "batch heads keys head_dim"],
    value: Float[Tensor, "batch heads keys head_dim"],
    mask: Bool[Tensor, "... keys"] | None = None,
    causal: bool = False,
    dropout: float = 0.0,
) -> Float[Tensor, "batch heads queries head_dim"]:
    """Return what `shared.nn.attention.attend` returns, without the weights, in the faster of two ways.

    Args:
        query, key, value: as in `attend`.
        mask: as in `attend`.
        causal: hide the future as well; the queries are the last of the keys' positions.
        dropout: probability with which a weight is dropped (0 in evaluation).
    """
    num_queries, num_keys = query.shape[2], key.shape[2]
    if causal and num_queries == 1:
        causal = False  # the last position sees all there is
    if causal and (mask is not None or num_queries < num_keys):
        past = causal_mask(num_queries, num_keys, query.device)
        mask, causal = past if mask is None else mask & past, False
    if query.dtype is torch.bfloat16 and query.device.type == "cpu" and query.requires_grad:
        return attend_by_products(query, key, value, causal_mask(num_queries, num_keys) if causal else mask, dropout)
    return functional.scaled_dot_product_attention(query, key, value, mask, dropout, causal)


def attend_by_products(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout: float = 0.0) -> Tensor:
    """Attend with plain matrix products: on CPUs the fused kernel is slow in the backward pass of bfloat16."""
    batch, heads, num_queries, head_dim = query.shape
    bias, empty = query.new_zeros(1, 1, 1), None
    if mask is not None:
        # A row that may look nowhere looks everywhere for now: softmax over nothing would pass NaN back.
        empty = ~mask.any(dim=-1, keepdim=True)
        seen = mask | empty
        if seen.dim() > 2:
            seen, empty = (m.expand(batch, heads, num_queries, -1).flatten(0, 1) for m in (seen, empty))
        bias = bias.masked_fill(~seen, -math.inf)
    # Adding the mask within the product saves a pass over the scores, the largest tensor here.
    scores = torch.baddbmm(bias, query.flatten(0, 1), key.flatten(0, 1).mT, alpha=1 / math.sqrt(head_dim))
    weights = scores.softmax(dim=-1, dtype=query.dtype)
    if empty is not None and empty.any():
        weights = weights.masked_fill(empty, 0.0)
    if dropout:
        weights = functional.dropout(weights, dropout)
    return (weights @ value.flatten(0, 1)).unflatten(0, (batch, heads))


class PackedProjection(nn.Linear):
    """The projections to queries, keys and values as one matrix: one product of three times the width is faster.

    Called, it projects its input to all three, side by side; a cross-attention takes the parts.
    """

    def __init__(self, d_model: int, bias: bool = True) -> None:
        super().__init__(d_model, 3 * d_model, bias)

    def query(self, x: Float[Tensor, "batch tokens d_model"]) -> Float[Tensor, "batch tokens d_model"]:
        """Return the queries alone."""
        rows = slice(None, self.in_features)
        return functional.linear(x, self.weight[rows], None if self.bias is None else self.bias[rows])

    def key_and_value(
        self, memory: Float[Tensor, "batch tokens d_model"]
    ) -> tuple[Float[Tensor, "batch tokens d_model"], Float[Tensor, "batch tokens d_model"]]:
        """Return the keys and values alone."""
        rows = slice(self.in_features, None)
        both = functional.linear(memory, self.weight[rows], None if self.bias is None else self.bias[rows])
        key, value = both.chunk(2, dim=-1)
        return key, value
