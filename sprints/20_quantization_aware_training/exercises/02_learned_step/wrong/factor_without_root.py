"""The root is forgotten."""

import torch
from torch import Tensor


def learned_step(x: Tensor, scale: Tensor, lowest: int, highest: int) -> Tensor:
    factor = (x.shape[-1] * highest) ** -1.0
    scaled = factor * scale
    scale = scale.detach() + (scaled - scaled.detach())  # the value of the step, a fraction of its gradient
    steps = x / scale
    integers = steps + (steps.round() - steps).detach()
    on_the_grid = (integers >= lowest) & (integers <= highest)
    return torch.where(on_the_grid, integers, integers.detach().clamp(lowest, highest)) * scale
