"""Angles in degrees."""

import torch
from torch import Tensor


def turn(x: Tensor, positions: Tensor, speeds: Tensor) -> Tensor:
    angles = positions[:, None] * speeds
    angles = angles.deg2rad()
    first, second = x[:, 0::2], x[:, 1::2]
    turned = (first * angles.cos() - second * angles.sin(), first * angles.sin() + second * angles.cos())
    return torch.stack(turned, dim=-1).flatten(1)
