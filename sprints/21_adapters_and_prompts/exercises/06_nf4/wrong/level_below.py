"""The level below, as searchsorted finds it."""

import torch
from torch import Tensor


def quantize(weights: Tensor, levels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the numbers of the nearest levels, two to a byte, and the largest absolute weight of each block."""
    constants = weights.abs().amax(dim=1)
    units = weights / constants.where(constants > 0, 1.0)[:, None]  # a block of zeros has nothing to divide by
    codes = (torch.searchsorted(levels, units.contiguous(), right=True) - 1).clamp(0, 15)
    return (codes[:, ::2] * 16 + codes[:, 1::2]).to(torch.uint8), constants


def dequantize(packed: Tensor, constants: Tensor, levels: Tensor) -> Tensor:
    """Return level times constant for each half of each byte."""
    codes = torch.stack([packed >> 4, packed & 15], dim=-1).flatten(1).long()  # (blocks, block)
    return levels[codes] * constants[:, None]
