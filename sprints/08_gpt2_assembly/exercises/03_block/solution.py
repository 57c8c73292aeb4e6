"""Two parts, each of which reads a normalised copy of the residual path and adds to it."""

import math

import torch
from torch import Tensor


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: float = 1e-5) -> Tensor:
    """Return each token with mean 0 and variance 1, times the gain, plus the bias."""
    away = x - x.mean(dim=-1, keepdim=True)
    variance = away.square().mean(dim=-1, keepdim=True)
    return away / (variance + epsilon).sqrt() * weight + bias


def attention(x: Tensor, weights: dict[str, Tensor], heads: int) -> Tensor:
    """Return causal self-attention."""
    together = x @ weights["attn.c_attn.weight"] + weights["attn.c_attn.bias"]  # (batch, tokens, 3 d_model)
    query, key, value = (
        part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in together.chunk(3, dim=-1)
    )  # each (batch, heads, tokens, head_dim)
    scores = query @ key.mT / math.sqrt(query.shape[-1])  # (batch, heads, tokens, tokens)
    future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    mixed = scores.masked_fill(future, -math.inf).softmax(dim=-1) @ value
    merged = mixed.transpose(1, 2).flatten(2)  # (batch, tokens, d_model)
    return merged @ weights["attn.c_proj.weight"] + weights["attn.c_proj.bias"]


def gelu(x: Tensor) -> Tensor:
    """Return GELU as GPT-2 computes it."""
    return 0.5 * x * (1 + (math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)).tanh())


def feed_forward(
    x: Tensor, expand_weight: Tensor, expand_bias: Tensor, contract_weight: Tensor, contract_bias: Tensor
) -> Tensor:
    """Return what the network makes of each token on its own."""
    return gelu(x @ expand_weight + expand_bias) @ contract_weight + contract_bias


def mlp(x: Tensor, weights: dict[str, Tensor]) -> Tensor:
    """Return what the feed-forward network of a block returns."""
    return feed_forward(
        x, *(weights[f"mlp.{name}"] for name in ("c_fc.weight", "c_fc.bias", "c_proj.weight", "c_proj.bias"))
    )


def block(x: Tensor, weights: dict[str, Tensor], heads: int) -> Tensor:
    """Return what a block makes of its tokens."""
    x = x + attention(layer_norm(x, weights["ln_1.weight"], weights["ln_1.bias"]), weights, heads)
    return x + mlp(layer_norm(x, weights["ln_2.weight"], weights["ln_2.bias"]), weights)
