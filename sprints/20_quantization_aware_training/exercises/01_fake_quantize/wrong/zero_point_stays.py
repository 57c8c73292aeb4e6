"""The zero point is not taken off on the way back."""

import torch
from torch import Tensor


def fake_quantize(x: Tensor, scale: Tensor, zero_point: int, lowest: int, highest: int) -> Tensor:
    steps = x / scale
    integers = steps + (steps.round() - steps).detach() + zero_point
    on_the_grid = (integers >= lowest) & (integers <= highest)
    return torch.where(on_the_grid, integers, integers.detach().clamp(lowest, highest)) * scale
