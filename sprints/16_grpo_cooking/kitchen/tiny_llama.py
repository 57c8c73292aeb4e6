"""Llama (Touvron et al. 2023) from its parts: RMSNorm, rotary positions, grouped-query attention, SwiGLU.

It is the model that transformers calls LlamaForCausalLM, weight for weight (`llama_weights.py` converts), and it speaks
the protocol of `shared/generation/decoding.py`.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.cache import KeyValueCache
from shared.nn.kernels import fused_attend


@dataclass(frozen=True)
class LlamaSize:
    """The size of a Llama; input and output share their embedding.

    Raises:
        ValueError: heads that do not divide the features, key-value heads that do not divide the heads, an odd head.
    """

    vocab_size: int
    context: int = 128
    layers: int = 3
    heads: int = 4
    key_value_heads: int = 2
    d_model: int = 96
    d_hidden: int = 256
    theta: float = 10_000.0
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        if self.d_model % self.heads or self.heads % self.key_value_heads or self.head_dim % 2:
            raise ValueError(
                "heads must divide d_model into even parts and key_value_heads must divide heads; got "
                f"d_model={self.d_model}, heads={self.heads}, key_value_heads={self.key_value_heads}"
            )

    @property
    def head_dim(self) -> int:
        return self.d_model // self.heads


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + epsilon) * gain (Zhang & Sennrich 2019): LayerNorm without mean and bias."""

    def __init__(self, d_model: int, epsilon: float) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))
        self.epsilon = epsilon

    def forward(self, x: Float[Tensor, "... d_model"]) -> Float[Tensor, "... d_model"]:
        """Return x with root mean square 1, times the gain."""
        return functional.rms_norm(x, self.gain.shape, self.gain, self.epsilon)


def rotate(
    x: Float[Tensor, "batch heads tokens head_dim"], positions: Int[Tensor, "#batch tokens"], theta: float
) -> Float[Tensor, "batch heads tokens head_dim"]:
    """Return queries or keys turned by their positions (Su et al. 2021, section 3.2).

    Feature i of the first half and feature i of the second are a plane; at position p it is turned by the angle
    p theta^(-2i / head_dim). The product of a query and a key then depends on their distance alone.
    """
    half = x.shape[-1] // 2
    frequencies = torch.exp(-math.log(theta) * torch.arange(half, device=x.device) / half)
    angles = positions[:, None, :, None] * frequencies  # (batch, 1, tokens, half)
    first, second = x.split(half, dim=-1)
    cosine, sine = angles.cos(), angles.sin()
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1).to(x.dtype)


class LlamaAttention(nn.Module):
    """Causal attention in which several query heads share a head of keys and values (Ainslie et al. 2023)."""

    def __init__(self, size: LlamaSize) -> None:
        super().__init__()
        self.size = size
        small = size.key_value_heads * size.head_dim
        self.query = nn.Linear(size.d_model, size.d_model, bias=False)
        self.key = nn.Linear(size.d_model, small, bias=False)
        self.value = nn.Linear(size.d_model, small, bias=False)
        self.output = nn.Linear(size.d_model, size.d_model, bias=False)

    def forward(
        self,
        x: Float[Tensor, "batch tokens d_model"],
        positions: Int[Tensor, "#batch tokens"],
        mask: Bool[Tensor, "batch 1 1 keys"] | None,
        cache: KeyValueCache | None,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return what each token gathers from itself and the tokens before it."""
        query, key, value = (
            part(x).unflatten(-1, (-1, self.size.head_dim)).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        query, key = rotate(query, positions, self.size.theta), rotate(key, positions, self.size.theta)
        if cache is not None:  # it holds the few heads, before they are repeated: that is the saving
            key, value = cache.append(key, value)
        group = self.size.heads // self.size.key_value_heads
        key, value = key.repeat_interleave(group, dim=1), value.repeat_interleave(group, dim=1)
        return self.output(fused_attend(query, key, value, mask, causal=True).transpose(1, 2).flatten(2))


class SwiGLU(nn.Module):
    """contract(silu(gate(x)) * expand(x)) (Shazeer 2020): one half of the hidden layer decides what passes."""

    def __init__(self, d_model: int, d_hidden: int) -> None:
        super().__init__()
        self.gate = nn.Linear(d_model, d_hidden, bias=False)
        self.expand = nn.Linear(d_model, d_hidden, bias=False)
        self.contract = nn.Linear(d_hidden, d_model, bias=False)

    def forward(self, x: Float[Tensor, "batch tokens d_model"]) -> Float[Tensor, "batch tokens d_model"]:
        """Return the network's output for each token on its own."""
        return self.contract(functional.silu(self.gate(x)) * self.expand(x))


class LlamaBlock(nn.Module):
    """Pre-norm attention and feed-forward network."""

    def __init__(self, size: LlamaSize) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(size.d_model, size.epsilon)
        self.attention = LlamaAttention(size)
        self.feed_forward_norm = RMSNorm(size.d_model, size.epsilon)
        self.feed_forward = SwiGLU(size.d_model, size.d_hidden)

    def forward(
        self, x: Tensor, positions: Tensor, mask: Tensor | None, cache: KeyValueCache | None
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return the tokens after both parts."""
        x = x + self.attention(self.attention_norm(x), positions, mask, cache)
        return x + self.feed_forward(self.feed_forward_norm(x))


class TinyLlama(nn.Module):
    """Blocks between a token embedding and the same embedding as output layer."""

    def __init__(self, size: LlamaSize, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = size
        self.token_embedding = nn.Embedding(size.vocab_size, size.d_model)
        self.blocks = nn.ModuleList(LlamaBlock(size) for _ in range(size.layers))
        self.norm = RMSNorm(size.d_model, size.epsilon)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02, generator=generator)

    def forward(
        self,
        tokens: Int[Tensor, "batch tokens"],
        *,
        cache: list[KeyValueCache] | None = None,
        mask: Bool[Tensor, "batch keys"] | None = None,
        positions: Int[Tensor, "batch tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens vocab"]:
        """Return the logits of the token after each token; arguments as those of `shared.nn.gpt.GPT`."""
        return functional.linear(self.hidden(tokens, cache, mask, positions), self.token_embedding.weight)

    def hidden(
        self,
        tokens: Int[Tensor, "batch tokens"],
        cache: list[KeyValueCache] | None = None,
        mask: Bool[Tensor, "batch keys"] | None = None,
        positions: Int[Tensor, "batch tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens d_model"]:
        """Return what the output layer reads."""
        past = cache[0].length if cache else 0
        if positions is None:
            positions = torch.arange(past, past + tokens.shape[1], device=tokens.device)[None]
        x = self.token_embedding(tokens)
        seen = None if mask is None else mask[:, None, None, :]
        for layer, block in enumerate(self.blocks):
            x = block(x, positions, seen, cache[layer] if cache else None)
        return self.norm(x)

    def new_cache(self, batch: int, max_tokens: int) -> list[KeyValueCache]:
        """Return an empty cache for each layer: of the key-value heads alone."""
        weight, size = self.token_embedding.weight, self.config
        shape = (batch, size.key_value_heads, max_tokens, size.head_dim)
        return [KeyValueCache(*shape, weight.dtype, weight.device) for _ in self.blocks]

    def parameter_count(self) -> int:
        """Return the number of parameters."""
        return sum(parameter.numel() for parameter in self.parameters())
