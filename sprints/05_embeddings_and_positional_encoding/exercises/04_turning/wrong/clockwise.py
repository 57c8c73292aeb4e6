"""The minus stands in the other line."""

import torch
from torch import Tensor


def turn(x: Tensor, positions: Tensor, speeds: Tensor) -> Tensor:
    angles = positions[:, None] * speeds
    first, second = x[:, 0::2], x[:, 1::2]
    turned = (first * angles.cos() + second * angles.sin(), second * angles.cos() - first * angles.sin())
    return torch.stack(turned, dim=-1).flatten(1)
