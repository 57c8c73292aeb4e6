"""A column of positions times a row of speeds."""

import torch
from torch import Tensor


def sinusoidal_positions(tokens: int, d_model: int) -> Tensor:
    """Return the sine and cosine of the angle of each hand at each position, (tokens, d_model)."""
    speeds = 10_000.0 ** (-torch.arange(0, d_model, 2) / d_model)  # (d_model / 2)
    angles = torch.arange(tokens)[:, None] * speeds  # (tokens, d_model / 2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
