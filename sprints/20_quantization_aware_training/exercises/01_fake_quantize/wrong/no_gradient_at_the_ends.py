"""A gradient between the ends only, which is what PyTorch's clamp does behind the rounding."""

import torch
from torch import Tensor


def fake_quantize(x: Tensor, scale: Tensor, zero_point: int, lowest: int, highest: int) -> Tensor:
    steps = x / scale
    integers = steps + (steps.round() - steps).detach() + zero_point
    between = (integers > lowest) & (integers < highest)
    clamped = torch.where(between, integers, integers.detach().clamp(lowest, highest))
    return (clamped - zero_point) * scale
