"""Positions: without them attention sees a set of tokens, not a sequence.

These are added to the tokens; those that turn queries and keys stand in `shared/nn/rotary.py`.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

PositionKind = Literal["learned", "sinusoidal"]


def sinusoidal_positions(tokens: int, d_model: int) -> Float[Tensor, "tokens d_model"]:
    """Return the sinusoidal encoding of positions 0 to tokens - 1 (Vaswani et al. 2017, section 3.5).

    encoding[p, 2i] = sin(p / 10000^(2i / d_model)), encoding[p, 2i + 1] = cos(p / 10000^(2i / d_model))

    Raises:
        ValueError: d_model is odd.
    """
    if d_model % 2:
        raise ValueError(f"sinusoidal positions come in pairs of sine and cosine; d_model must be even, got {d_model}")
    frequencies = torch.exp(-math.log(10_000) * torch.arange(0, d_model, 2) / d_model)
    angles = torch.arange(tokens)[:, None] * frequencies
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class SinusoidalPositions(nn.Module):
    """Fixed sinusoidal positions for up to `context` tokens; nothing to learn."""

    table: Tensor

    def __init__(self, context: int, d_model: int) -> None:
        super().__init__()
        self.register_buffer("table", sinusoidal_positions(context, d_model), persistent=False)

    def forward(self, positions: Int[Tensor, "*batch tokens"]) -> Float[Tensor, "*batch tokens d_model"]:
        """Return the encoding of each position."""
        return self.table[positions]


class LearnedPositions(nn.Embedding):
    """One learned vector for each of `context` positions, as in GPT-2: an embedding whose tokens are positions."""

    def __init__(self, context: int, d_model: int) -> None:
        super().__init__(context, d_model)


def make_positions(kind: PositionKind, context: int, d_model: int) -> LearnedPositions | SinusoidalPositions:
    """Return positions of a kind for up to `context` tokens."""
    return (LearnedPositions if kind == "learned" else SinusoidalPositions)(context, d_model)
