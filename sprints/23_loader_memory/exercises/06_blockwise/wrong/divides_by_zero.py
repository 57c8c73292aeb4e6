"""A block of zeros is divided by zero."""

import torch
from torch import Tensor


def blockwise(values: Tensor, code: Tensor, block: int) -> tuple[Tensor, Tensor]:
    """Return the number of the nearest value of a code for each number, and each block's scale."""
    blocks = values.reshape(-1, block)
    scales = blocks.abs().amax(dim=1, keepdim=True)
    scaled = blocks / scales
    numbers = (scaled[..., None] - code).abs().nan_to_num(0.0).argmin(dim=-1)
    return numbers.to(torch.uint8), scales.flatten()


def restored(numbers: Tensor, scales: Tensor, code: Tensor) -> Tensor:
    """Return the values that numbers and scales stand for, in one row."""
    return (code[numbers.long()] * scales[:, None]).flatten()
