"""Averages in 8 bits: the nearest of 256 values, and a scale for each block."""

import torch
from torch import Tensor


def blockwise(values: Tensor, code: Tensor, block: int) -> tuple[Tensor, Tensor]:
    """Return the number of the nearest value of a code for each number, and each block's scale."""
    blocks = values.reshape(-1, block)
    scales = blocks.abs().amax(dim=1, keepdim=True).clamp_min(1e-30)
    scaled = blocks / scales
    numbers = (scaled[..., None] - code).abs().argmin(dim=-1)
    return numbers.to(torch.uint8), scales.flatten()


def restored(numbers: Tensor, scales: Tensor, code: Tensor) -> Tensor:
    """Return the values that numbers and scales stand for, in one row."""
    return (code[numbers.long()] * scales[:, None]).flatten()
