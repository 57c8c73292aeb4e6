"""The attention of modern decoders: grouped queries, QK-norm, rotary positions, a soft cap and a window, each a switch.

`shared/nn/grouped_query.py` is the same layer with grouped queries and rotary positions alone.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from shared.nn.attention import Queries, merge_heads, split_heads
from shared.nn.cache import KeyValueCache
from shared.nn.decoder_config import DecoderConfig
from shared.nn.kernels import fused_attend
from shared.nn.masks import causal_mask
from shared.nn.norms import RMSNorm
from shared.nn.rotary import rotate_halves, rotate_interleaved
from shared.nn.windows import window_mask

Groups = Float[Tensor, "batch groups tokens head_dim"]


def soft_cap(x: Float[Tensor, "..."], cap: float | None) -> Float[Tensor, "..."]:
    """Return cap * tanh(x / cap): small numbers as they are, none beyond the cap (Gemma 2, section 2; None: x)."""
    return x if cap is None else cap * torch.tanh(x / cap)


class DecoderAttention(nn.Module):
    """Causal self-attention of one layer.

    Args:
        config: of the decoder.
        layer: which of its layers, from 0 on; some have a window and another base of rotary positions.
    """

    def __init__(self, config: DecoderConfig, layer: int) -> None:
        super().__init__()
        self.config, self.window = config, config.window_of(layer)
        wide, narrow = config.heads * config.features, config.groups * config.features
        self.query = nn.Linear(config.d_model, wide, bias=config.bias)
        self.key = nn.Linear(config.d_model, narrow, bias=config.bias)
        self.value = nn.Linear(config.d_model, narrow, bias=config.bias)
        self.output = nn.Linear(wide, config.d_model, bias=config.bias)
        norms = [RMSNorm(config.features, config.epsilon) if config.qk_norm else nn.Identity() for _ in range(2)]
        self.query_norm, self.key_norm = norms

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        positions: Int[Tensor, "#batch tokens"],
        mask: Bool[Tensor, "batch 1 #tokens keys"] | None = None,
        cache: KeyValueCache | None = None,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return what each token gathers from itself and the tokens before it.

        Args:
            x: the tokens.
            positions: of the tokens.
            mask: True where a query may look, for all tokens so far; future and what is outside the window are hidden.
            cache: keys and values of earlier tokens; the new ones are appended.
        """
        query, key, value = self.project(x, positions)
        if cache is not None:  # it holds the few heads, before they are repeated: that is the saving
            key, value = cache.append(key, value)
        return self.output(merge_heads(self.attend(query, key, value, mask)))

    def project(
        self, x: Float[Tensor, "batch tokens d_model"], positions: Int[Tensor, "#batch tokens"]
    ) -> tuple[Queries, Groups, Groups]:
        """Return queries in many heads, keys and values in few; queries and keys are normalised, then turned."""
        config = self.config
        query = self.query_norm(split_heads(self.query(x), config.heads))
        key = self.key_norm(split_heads(self.key(x), config.groups))
        value = split_heads(self.value(x), config.groups)
        if config.positions == "rotary":
            rotate = rotate_halves if config.pairing == "halves" else rotate_interleaved
            theta, scaling = config.theta, config.scaling
            if self.window is not None:  # what lies near needs no slower rotation
                theta, scaling = config.local_theta or theta, None
            query, key = (rotate(part, positions[:, None], theta, scaling) for part in (query, key))
        return query, key, value

    def attend(
        self, query: Queries, key: Groups, value: Groups, mask: Bool[Tensor, "batch 1 #queries keys"] | None = None
    ) -> Queries:
        """Return each query's weighted mean of the values of its group."""
        config, (num_queries, num_keys) = self.config, (query.shape[2], key.shape[2])
        key, value = (part.repeat_interleave(config.heads // config.groups, dim=1) for part in (key, value))
        if mask is not None:
            mask = mask[..., -num_keys:]  # a window's cache has forgotten the tokens before
        if self.window is not None and num_keys > self.window:
            near = window_mask(num_queries, num_keys, self.window, query.device)
            mask = near if mask is None else mask & near
        root = math.sqrt(config.features)
        if config.score_scale is not None:
            query = query * (config.score_scale * root)  # the kernel divides by the root
        if config.score_cap is None:
            return fused_attend(query, key, value, mask, causal=True)
        seen = causal_mask(num_queries, num_keys, query.device)
        seen = seen if mask is None else seen & mask
        scores = soft_cap(query @ key.mT / root, config.score_cap).masked_fill(~seen, -math.inf)
        # A query that may look nowhere, padding on the left, gets zeros and no NaN.
        return scores.softmax(dim=-1).masked_fill(~seen.any(dim=-1, keepdim=True), 0.0) @ value
