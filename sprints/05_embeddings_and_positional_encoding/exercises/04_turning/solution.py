"""Every second feature is the first of a pair."""

import torch
from torch import Tensor


def turn(x: Tensor, positions: Tensor, speeds: Tensor) -> Tensor:
    """Return vectors whose pairs of neighbouring features are turned by their positions, (tokens, features)."""
    angles = positions[:, None] * speeds  # (tokens, features / 2)
    first, second = x[:, 0::2], x[:, 1::2]
    turned = (first * angles.cos() - second * angles.sin(), first * angles.sin() + second * angles.cos())
    return torch.stack(turned, dim=-1).flatten(1)
