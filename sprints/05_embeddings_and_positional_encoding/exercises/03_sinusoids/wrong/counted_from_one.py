"""The first position is 1."""

import torch
from torch import Tensor


def sinusoidal_positions(tokens: int, d_model: int) -> Tensor:
    speeds = 10_000.0 ** (-torch.arange(0, d_model, 2) / d_model)
    angles = torch.arange(1, tokens + 1)[:, None] * speeds
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
