"""Concatenated instead of interleaved."""

import torch
from torch import Tensor


def turn(x: Tensor, positions: Tensor, speeds: Tensor) -> Tensor:
    angles = positions[:, None] * speeds
    first, second = x[:, 0::2], x[:, 1::2]
    turned = (first * angles.cos() - second * angles.sin(), first * angles.sin() + second * angles.cos())
    return torch.cat(turned, dim=-1)
