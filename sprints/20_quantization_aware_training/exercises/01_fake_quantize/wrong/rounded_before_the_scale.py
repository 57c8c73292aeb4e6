"""Rounded first, divided then: numbers below a half become 0."""

import torch
from torch import Tensor


def fake_quantize(x: Tensor, scale: Tensor, zero_point: int, lowest: int, highest: int) -> Tensor:
    rounded = x + (x.round() - x).detach()
    integers = rounded / scale + zero_point
    on_the_grid = (integers >= lowest) & (integers <= highest)
    clamped = torch.where(on_the_grid, integers, integers.detach().clamp(lowest, highest))
    return (clamped - zero_point) * scale
