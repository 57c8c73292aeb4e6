"""Each feature has a speed of its own."""

import torch
from torch import Tensor


def sinusoidal_positions(tokens: int, d_model: int) -> Tensor:
    speeds = 10_000.0 ** (-torch.arange(d_model) / d_model)
    angles = torch.arange(tokens)[:, None] * speeds
    return torch.stack([angles[:, 0::2].sin(), angles[:, 1::2].cos()], dim=-1).flatten(1)
