"""The gradient of the step has no factor."""

import torch
from torch import Tensor


def learned_step(x: Tensor, scale: Tensor, lowest: int, highest: int) -> Tensor:
    steps = x / scale
    integers = steps + (steps.round() - steps).detach()
    on_the_grid = (integers >= lowest) & (integers <= highest)
    return torch.where(on_the_grid, integers, integers.detach().clamp(lowest, highest)) * scale
