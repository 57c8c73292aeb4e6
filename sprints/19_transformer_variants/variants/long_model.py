"""A small decoder whose only choice is how it knows where a token stands: for texts longer than those it learned from.

Blocks as GPT-2's, but without dropout. Positions are added to the tokens (learned, sinusoidal), turn queries and keys
(rotary, which may be slowed down when the model is used), lower the scores of what is far (ALiBi), or are left out.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from shared.nn.alibi import AlibiAttention
from shared.nn.attention import merge_heads, split_heads
from shared.nn.blocks import FeedForward
from shared.nn.cache import KeyValueCache
from shared.nn.kernels import fused_attend
from shared.nn.masks import for_all_queries
from shared.nn.positions import make_positions
from shared.nn.rotary import Llama3Scaling
from shared.nn.rotary_scaling import (
    BaseScaling,
    DynamicScaling,
    LinearScaling,
    RotaryScaling,
    YarnScaling,
    rotate_scaled,
)
from shared.nn.windows import WindowCache, window_mask

Kind = Literal["none", "learned", "sinusoidal", "rotary", "window", "alibi"]


@dataclass(frozen=True)
class LongConfig:
    """Size and kind of a `LongModel`.

    Args:
        kind: how it knows where a token stands; "window" is rotary positions and a window in each layer.
        vocab_size: distinct tokens.
        context: tokens of the longest text, and so rows of a table of added positions.
        layers, heads, d_model: as those of a GPT.
        theta: base of the rotary positions.
        window: tokens that a token of the kind "window" looks at.
    """

    kind: Kind
    vocab_size: int
    context: int
    layers: int = 2
    heads: int = 4
    d_model: int = 64
    theta: float = 10_000.0
    window: int = 32


class PlacedAttention(nn.Module):
    """Causal attention, whose queries and keys are turned by their positions or not, in a window or not."""

    def __init__(self, config: LongConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.theta = config.theta if config.kind in ("rotary", "window") else None
        self.window = config.window if config.kind == "window" else None
        self.qkv = nn.Linear(config.d_model, 3 * config.d_model, bias=False)
        self.output = nn.Linear(config.d_model, config.d_model, bias=False)

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        positions: Int[Tensor, "#batch tokens"],
        mask: Bool[Tensor, "batch 1 1 keys"] | None,
        cache: KeyValueCache | None,
        scaling: RotaryScaling | None,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return what each token gathers; `mask` hides padding, `scaling` slows the rotation."""
        query, key, value = (split_heads(part, self.heads) for part in self.qkv(x).chunk(3, dim=-1))
        if self.theta is not None:
            query, key = (rotate_scaled(part, positions[:, None], self.theta, scaling) for part in (query, key))
        if cache is not None:
            key, value = cache.append(key, value)
        seen = None if mask is None else mask[..., -key.shape[2] :]
        if self.window is not None:
            near = window_mask(query.shape[2], key.shape[2], self.window, x.device)
            seen = near if seen is None else near & seen
        return self.output(merge_heads(fused_attend(query, key, value, seen, causal=True)))


class LongBlock(nn.Module):
    """Pre-norm attention and feed-forward network."""

    def __init__(self, config: LongConfig) -> None:
        super().__init__()
        self.attention_norm, self.feed_forward_norm = nn.LayerNorm(config.d_model), nn.LayerNorm(config.d_model)
        alibi = config.kind == "alibi"
        self.attention = AlibiAttention(config.d_model, config.heads) if alibi else PlacedAttention(config)
        self.feed_forward = FeedForward(config.d_model, 4 * config.d_model, "gelu")

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        positions: Int[Tensor, "#batch tokens"],
        mask: Bool[Tensor, "batch 1 1 keys"] | None,
        cache: KeyValueCache | None,
        scaling: RotaryScaling | None,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return the tokens after both parts."""
        normed = self.attention_norm(x)
        if isinstance(self.attention, AlibiAttention):
            x = x + self.attention(normed, mask, cache)
        else:
            x = x + self.attention(normed, positions, mask, cache, scaling)
        return x + self.feed_forward(self.feed_forward_norm(x))


class LongModel(nn.Module):
    """Blocks between a token embedding and an output layer.

    Args:
        config: size and kind.
        generator: draws the initial weights.
    """

    def __init__(self, config: LongConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.d_model)
        added = config.kind in ("learned", "sinusoidal")
        self.positions = make_positions(config.kind, config.context, config.d_model) if added else None
        self.blocks = nn.ModuleList(LongBlock(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.d_model)
        self.head = nn.Linear(config.d_model, config.vocab_size, bias=False)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02, generator=generator)

    def forward(
        self,
        tokens: Int[Tensor, "batch tokens"],
        *,
        cache: list[KeyValueCache] | None = None,
        mask: Bool[Tensor, "batch keys"] | None = None,
        positions: Int[Tensor, "#batch tokens"] | None = None,
        scaling: RotaryScaling | None = None,
    ) -> Float[Tensor, "batch tokens vocab"]:
        """Return the logits of the token after each token; arguments as those of `shared.nn.gpt.GPT`.

        Raises:
            ValueError: a position beyond the table, of a kind that has one.
        """
        past = cache[0].length if cache else 0
        total = past + tokens.shape[1]
        if positions is None:
            positions = torch.arange(past, total, device=tokens.device)[None]
        x = self.token_embedding(tokens)
        if self.positions is not None:
            if total > self.config.context:
                raise ValueError(
                    f"the table of positions has {self.config.context} rows; got {total} tokens: give a longer table, "
                    "or a kind that has none"
                )
            x = x + self.positions(positions)
        for layer, block in enumerate(self.blocks):
            x = block(x, positions, for_all_queries(mask), cache[layer] if cache else None, scaling)
        return self.head(self.norm(x))

    def new_cache(self, batch: int, max_tokens: int) -> list[KeyValueCache]:
        """Return an empty cache for each layer: of a window, if the model has one."""
        config = self.config
        windowed = config.kind == "window"
        kind, kept = (WindowCache, config.window) if windowed else (KeyValueCache, max_tokens)
        return [kind(batch, config.heads, kept, config.d_model // config.heads) for _ in self.blocks]


def scalings_for(context: int, times: int, tokens: int) -> dict[str, RotaryScaling | None]:
    """Return what lets a model of `context` positions read `times` as many, for a text of so many tokens."""
    return {
        "as trained": None,
        "linear": LinearScaling(times),
        "larger base": BaseScaling(times),
        "dynamic": DynamicScaling(context).at(tokens),
        "YaRN": YarnScaling(times, context),
        "Llama 3": Llama3Scaling(times, context=context),
    }
