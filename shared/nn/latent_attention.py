"""Multi-head latent attention (DeepSeek-V2, DeepSeek-AI 2024, section 2.1): the cache keeps one short vector a token.

Keys and values of all heads are made of a latent of a few features, and the latent is what is kept. Beside it stands
one short key that is turned by its position and that all heads share. The layer is computed in two ways:

- materialised: keys and values of every head are made of the kept latents, and attention goes on as usual;
- absorbed: what would make the keys is applied to the queries, and what would make the values to the result, so that
  all heads look at the kept vectors themselves, as in multi-query attention.

Both give the same numbers, because a product of three matrices does not depend on which two are multiplied first.
"""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from shared.nn.attention import Queries, attend, merge_heads, split_heads
from shared.nn.conversions import their_name
from shared.nn.latent_cache import LatentCache
from shared.nn.latent_sizes import LatentSizes
from shared.nn.masks import causal_mask
from shared.nn.norms import RMSNorm
from shared.nn.rotary import rotate_interleaved

if TYPE_CHECKING:  # transformers takes seconds to import and only the conversion needs it
    from transformers.models.deepseek_v2.modeling_deepseek_v2 import DeepseekV2Attention
    from transformers.models.deepseek_v3.modeling_deepseek_v3 import DeepseekV3Attention

# Our name of a weight: theirs.
PARTS = {
    "query": "q_proj",
    "query_down": "q_a_proj",
    "query_norm": "q_a_layernorm",
    "query_up": "q_b_proj",
    "down": "kv_a_proj_with_mqa",
    "norm": "kv_a_layernorm",
    "up": "kv_b_proj",
    "output": "o_proj",
    "gain": "weight",
}


class LatentAttention(nn.Module):
    """Causal self-attention whose keys and values are made of a latent; nothing has a bias.

    Args:
        sizes: of all its parts.
    """

    def __init__(self, sizes: LatentSizes) -> None:
        super().__init__()
        self.sizes = sizes
        queries = sizes.heads * (sizes.head_dim + sizes.rotary_dim)
        if sizes.query_latent is None:
            self.query = nn.Linear(sizes.d_model, queries, bias=False)
        else:
            self.query_down = nn.Linear(sizes.d_model, sizes.query_latent, bias=False)
            self.query_norm = RMSNorm(sizes.query_latent, sizes.epsilon)
            self.query_up = nn.Linear(sizes.query_latent, queries, bias=False)
        self.down = nn.Linear(sizes.d_model, sizes.kept, bias=False)
        self.norm = RMSNorm(sizes.latent, sizes.epsilon)
        self.up = nn.Linear(sizes.latent, sizes.heads * (sizes.head_dim + sizes.values), bias=False)
        self.output = nn.Linear(sizes.heads * sizes.values, sizes.d_model, bias=False)

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        positions: Int[Tensor, "#batch tokens"] | None = None,
        mask: Bool[Tensor, "batch 1 #tokens keys"] | None = None,
        cache: LatentCache | None = None,
        *,
        absorbed: bool = False,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return what each token gathers from itself and the tokens before it.

        Args:
            x: the tokens.
            positions: of the tokens (default: 0, 1, ... after what is in the cache).
            mask: True where a query may look; the future is hidden in any case.
            cache: what was kept of earlier tokens; the new ones are appended.
            absorbed: compute it without making keys and values; the result is the same.
        """
        if positions is None:
            positions = torch.arange(x.shape[1], device=x.device)[None] + (cache.length if cache else 0)
        plain, turned = self.queries(x, positions)
        kept = self.keep(x, positions)
        if cache is not None:
            kept = cache.append(kept)
        past = causal_mask(x.shape[1], kept.shape[1], x.device)
        mask = past if mask is None else mask & past
        mixed = (self.absorbed if absorbed else self.materialised)(plain, turned, kept, mask)
        return self.output(merge_heads(mixed))

    def queries(
        self, x: Float[Tensor, "batch tokens d_model"], positions: Int[Tensor, "#batch tokens"]
    ) -> tuple[Queries, Float[Tensor, "batch heads queries rotary_dim"]]:
        """Return the part of each query without a position, and the part that is turned by it."""
        sizes = self.sizes
        made = self.query(x) if sizes.query_latent is None else self.query_up(self.query_norm(self.query_down(x)))
        plain, turned = split_heads(made, sizes.heads).split([sizes.head_dim, sizes.rotary_dim], dim=-1)
        return plain, rotate_interleaved(turned, positions[:, None], sizes.theta)

    def keep(
        self, x: Float[Tensor, "batch tokens d_model"], positions: Int[Tensor, "#batch tokens"]
    ) -> Float[Tensor, "batch tokens kept"]:
        """Return what is kept of each token: its latent, normalised, and the shared key, turned by its position."""
        latent, key = self.down(x).split([self.sizes.latent, self.sizes.rotary_dim], dim=-1)
        return torch.cat([self.norm(latent), rotate_interleaved(key, positions, self.sizes.theta)], dim=-1)

    def materialised(
        self,
        plain: Queries,
        turned: Float[Tensor, "batch heads queries rotary_dim"],
        kept: Float[Tensor, "batch keys kept"],
        mask: Bool[Tensor, "... keys"],
    ) -> Float[Tensor, "batch heads queries value_dim"]:
        """Return what each head gathers, by way of its keys and values."""
        sizes = self.sizes
        latent, shared = kept.split([sizes.latent, sizes.rotary_dim], dim=-1)
        made = split_heads(self.up(latent), sizes.heads)  # (batch, heads, keys, head_dim + value_dim)
        key, value = made.split([sizes.head_dim, sizes.values], dim=-1)
        shared = shared[:, None].expand(-1, sizes.heads, -1, -1)
        return attend(torch.cat([plain, turned], dim=-1), torch.cat([key, shared], dim=-1), value, mask)[0]

    def absorbed(
        self,
        plain: Queries,
        turned: Float[Tensor, "batch heads queries rotary_dim"],
        kept: Float[Tensor, "batch keys kept"],
        mask: Bool[Tensor, "... keys"],
    ) -> Float[Tensor, "batch heads queries value_dim"]:
        """Return the same without keys and values: all heads look at what was kept."""
        sizes = self.sizes
        up = self.up.weight.unflatten(0, (sizes.heads, -1))  # (heads, head_dim + value_dim, latent)
        up_key, up_value = up.split([sizes.head_dim, sizes.values], dim=1)
        query = torch.cat([plain @ up_key, turned], dim=-1)  # (batch, heads, queries, kept)
        # `attend` divides by the root of the length that it sees; the scale is that of the length before.
        query = query * (sizes.kept / (sizes.head_dim + sizes.rotary_dim)) ** 0.5
        # All heads look at the same vectors: their queries stand below each other, as queries of one head.
        together, shared = query.flatten(1, 2)[:, None], kept[:, None]
        latents = attend(together, shared, shared[..., : sizes.latent], torch.cat([mask] * sizes.heads, dim=-2))[0]
        mixed = latents.squeeze(1).unflatten(1, (sizes.heads, -1))  # (batch, heads, queries, latent)
        return mixed @ up_value.mT

    def new_cache(self, batch: int, max_tokens: int) -> LatentCache:
        """Return an empty cache with room for so many tokens."""
        return LatentCache(batch, max_tokens, self.sizes.kept, self.down.weight.dtype, self.down.weight.device)

    @classmethod
    def from_transformers(cls, layer: "DeepseekV2Attention | DeepseekV3Attention") -> "LatentAttention":
        """Return the same layer, with weights of its own; errors as of `LatentSizes.from_transformers`."""
        ours = cls(LatentSizes.from_transformers(layer.config))
        theirs = layer.state_dict()
        ours.load_state_dict({name: theirs[their_name(name, PARTS)].clone() for name in ours.state_dict()})
        return ours
