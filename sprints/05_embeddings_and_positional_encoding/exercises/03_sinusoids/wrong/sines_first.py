"""All sines, then all cosines."""

import torch
from torch import Tensor


def sinusoidal_positions(tokens: int, d_model: int) -> Tensor:
    speeds = 10_000.0 ** (-torch.arange(0, d_model, 2) / d_model)
    angles = torch.arange(tokens)[:, None] * speeds
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
