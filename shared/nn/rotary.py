"""Rotary positions (Su et al. 2021, RoFormer): queries and keys are turned by angles that grow with their position.

Two features make a plane. Plane i of head_dim / 2 turns by position * theta^(-2i / head_dim), so that the product of a
query and a key depends on their distance alone. Which two features? There are two answers, and a model that was
trained with one is broken by the other, without an error:

- `rotate_interleaved`: (x[0], x[1]), (x[2], x[3]), ...; RoFormer, GPT-J, and Llama as Meta published it
- `rotate_halves`: (x[i], x[i + head_dim / 2]); GPT-NeoX, and Llama, Mistral and Qwen in transformers

They differ by the order of the features: conversions from Meta's Llama reorder the rows of the query and key weights.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def rotate_interleaved(
    x: Float[Tensor, "*rows tokens head_dim"], positions: Int[Tensor, "*#rows tokens"], theta: float = 10_000.0
) -> Float[Tensor, "*rows tokens head_dim"]:
    """Return vectors whose neighbouring features are turned by their positions.

    Args:
        x: queries or keys.
        positions: of each token.
        theta: the slowest plane needs about 2 pi theta positions for a whole turn.

    Raises:
        ValueError: the number of features is odd.
    """
    turned = _turn(x[..., 0::2], x[..., 1::2], _angles(x, positions, theta))
    return torch.stack(turned, dim=-1).flatten(-2).to(x.dtype)


def rotate_halves(
    x: Float[Tensor, "*rows tokens head_dim"], positions: Int[Tensor, "*#rows tokens"], theta: float = 10_000.0
) -> Float[Tensor, "*rows tokens head_dim"]:
    """Return vectors in which feature i of the first half turns with feature i of the second.

    Arguments and errors as those of `rotate_interleaved`.
    """
    angles = _angles(x, positions, theta)
    first, second = x.chunk(2, dim=-1)
    return torch.cat(_turn(first, second, angles), dim=-1).to(x.dtype)


def _angles(x: Tensor, positions: Tensor, theta: float) -> Float[Tensor, "*rows tokens planes"]:
    features = x.shape[-1]
    if features % 2:
        raise ValueError(f"rotary positions turn pairs; the number of features must be even, got {features}")
    planes = features // 2
    return positions[..., None] * torch.exp(-math.log(theta) * torch.arange(planes, device=x.device) / planes)


def _turn(first: Tensor, second: Tensor, angles: Tensor) -> tuple[Tensor, Tensor]:
    """Return both features of each plane: (first + i second) e^(i angle)."""
    cosine, sine = angles.cos(), angles.sin()
    return first * cosine - second * sine, second * cosine + first * sine
