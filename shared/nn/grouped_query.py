"""Grouped-query attention (Ainslie et al. 2023): several query heads share a head of keys and values.

With as many key-value heads as query heads it is multi-head attention, with one it is multi-query attention (Shazeer
2019). The cache shrinks by the same factor, and with it what decoding a token has to read.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from shared.nn.attention import Queries, merge_heads, split_heads
from shared.nn.cache import KeyValueCache
from shared.nn.kernels import fused_attend
from shared.nn.rotary import Llama3Scaling, rotate_halves


class GroupedQueryAttention(nn.Module):
    """Causal self-attention with fewer heads of keys and values than of queries; nothing has a bias.

    Args:
        d_model: features of each token.
        heads: query heads; each gets d_model / heads features.
        key_value_heads: heads of keys and values.
        theta: queries and keys are turned by rotary positions of this base (None: they have no positions).
        scaling: changes the speeds of the rotation.

    Raises:
        ValueError: d_model is not a multiple of heads, or heads not of key_value_heads.
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        key_value_heads: int,
        theta: float | None = None,
        scaling: Llama3Scaling | None = None,
    ) -> None:
        super().__init__()
        if d_model % heads or heads % key_value_heads:
            raise ValueError(
                "d_model must be a multiple of heads, and heads of key_value_heads; "
                f"got d_model={d_model}, heads={heads}, key_value_heads={key_value_heads}"
            )
        self.heads, self.key_value_heads = heads, key_value_heads
        self.theta, self.scaling = theta, scaling
        head_dim = d_model // heads
        self.query = nn.Linear(d_model, d_model, bias=False)
        self.key = nn.Linear(d_model, key_value_heads * head_dim, bias=False)
        self.value = nn.Linear(d_model, key_value_heads * head_dim, bias=False)
        self.output = nn.Linear(d_model, d_model, bias=False)

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        positions: Int[Tensor, "#batch tokens"] | None = None,
        mask: Bool[Tensor, "batch 1 #tokens keys"] | None = None,
        cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return what each token gathers from itself and the tokens before it.

        Args:
            x: the tokens.
            positions: of the tokens (default: 0, 1, ... after what is in the cache).
            mask: True where a query may look; the future is hidden in any case.
            cache: keys and values of earlier tokens; the new ones are appended.
        """
        query, key, value = self.project(x)
        if self.theta is not None:
            if positions is None:
                positions = torch.arange(x.shape[1], device=x.device)[None] + (cache.length if cache else 0)
            planes = positions[:, None]  # the same for all heads
            query, key = (rotate_halves(part, planes, self.theta, self.scaling) for part in (query, key))
        if cache is not None:  # it holds the few heads, before they are repeated: that is the saving
            key, value = cache.append(key, value)
        return self.output(merge_heads(self.attend(query, key, value, mask)))

    def project(
        self, x: Float[Tensor, "batch tokens d_model"]
    ) -> tuple[Queries, Float[Tensor, "batch groups queries head_dim"], Float[Tensor, "batch groups queries head_dim"]]:
        """Return queries in many heads, keys and values in few."""
        query = split_heads(self.query(x), self.heads)
        key, value = (split_heads(part(x), self.key_value_heads) for part in (self.key, self.value))
        return query, key, value

    def attend(
        self,
        query: Queries,
        key: Float[Tensor, "batch groups keys head_dim"],
        value: Float[Tensor, "batch groups keys head_dim"],
        mask: Bool[Tensor, "batch 1 #queries keys"] | None = None,
    ) -> Queries:
        """Return causal attention in which each key-value head is repeated for the query heads of its group."""
        size = self.heads // self.key_value_heads
        key, value = key.repeat_interleave(size, dim=1), value.repeat_interleave(size, dim=1)
        return fused_attend(query, key, value, mask, causal=True)
