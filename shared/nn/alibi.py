"""ALiBi, attention with linear biases (Press et al. 2022): no positions; what is far away gets a lower score.

A head subtracts slope * distance from its scores before the softmax. The slopes are fixed: steep heads look at what is
near, flat ones far back. A distance that training never had is one more step on a line it knows.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.attention import Keys, Queries, merge_heads, split_heads
from shared.nn.cache import KeyValueCache
from shared.nn.masks import causal_mask


def alibi_slopes(heads: int) -> Float[Tensor, " heads"]:
    """Return the slope of each head: 2^(-8 / heads), its square, its cube, ..., down to 1/256 (section 3).

    Where `heads` is no power of two: those of the next smaller one, then every other slope of the next larger one, as
    in the authors' code.

    Raises:
        ValueError: no heads.
    """
    if heads < 1:
        raise ValueError(f"slopes are of heads; got {heads}: give 1 or more")
    smaller = 2 ** math.floor(math.log2(heads))
    slopes = [2 ** (-8 * (head + 1) / smaller) for head in range(smaller)]
    slopes += [2 ** (-8 * (2 * head + 1) / (2 * smaller)) for head in range(heads - smaller)]
    return torch.tensor(slopes)


def alibi_bias(slopes: Float[Tensor, " heads"], num_queries: int, num_keys: int) -> Float[Tensor, "heads queries keys"]:
    """Return -slope * distance for the last queries of `num_keys` places; the future gets 0."""
    keys = torch.arange(num_keys, device=slopes.device)
    distances = (keys[num_keys - num_queries :, None] - keys).clamp(min=0)
    return -slopes[:, None, None] * distances


class AlibiAttention(nn.Module):
    """Causal multi-head self-attention with ALiBi; nothing has a bias that is learned.

    Args:
        d_model: features of each token.
        heads: attention heads; each gets d_model / heads features.

    Raises:
        ValueError: d_model is not a multiple of heads.
    """

    slopes: Tensor

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        if d_model % heads:
            raise ValueError(f"d_model must be a multiple of heads; got d_model={d_model} and heads={heads}")
        self.heads = heads
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)
        self.output = nn.Linear(d_model, d_model, bias=False)
        self.register_buffer("slopes", alibi_slopes(heads), persistent=False)

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        mask: Bool[Tensor, "batch 1 #tokens keys"] | None = None,
        cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return what each token gathers from itself and the tokens before it; arguments as of `GroupedQueryAttention`.

        There are no positions to give: distances are counted in places, so padding stands on the left.
        """
        query, key, value = (split_heads(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        if cache is not None:
            key, value = cache.append(key, value)
        return self.output(merge_heads(self.attend(query, key, value, mask)))

    def attend(
        self, query: Queries, key: Keys, value: Keys, mask: Bool[Tensor, "batch 1 #queries keys"] | None = None
    ) -> Queries:
        """Return softmax(query key^T / sqrt(head_dim) + bias) value; a query that may look nowhere gets zeros."""
        num_queries, num_keys = query.shape[2], key.shape[2]
        seen = causal_mask(num_queries, num_keys, query.device)
        seen = seen if mask is None else seen & mask
        bias = alibi_bias(self.slopes, num_queries, num_keys).masked_fill(~seen, -math.inf)
        mixed = functional.scaled_dot_product_attention(query, key, value, bias.to(query.dtype))
        return mixed if mask is None else mixed.masked_fill(~seen.any(dim=-1, keepdim=True), 0.0)
