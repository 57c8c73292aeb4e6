"""Rounding straight through gives both gradients; the factor goes into the gradient of the step alone."""

import torch
from torch import Tensor


def learned_step(x: Tensor, scale: Tensor, lowest: int, highest: int) -> Tensor:
    """Return x rounded to multiples of a step that has a gradient too."""
    factor = (x.shape[-1] * highest) ** -0.5
    scaled = factor * scale
    scale = scale.detach() + (scaled - scaled.detach())  # the value of the step, a fraction of its gradient
    steps = x / scale
    integers = steps + (steps.round() - steps).detach()
    on_the_grid = (integers >= lowest) & (integers <= highest)
    return torch.where(on_the_grid, integers, integers.detach().clamp(lowest, highest)) * scale
