"""The factor is in the gradient of x as well."""

import torch
from torch import Tensor


def learned_step(x: Tensor, scale: Tensor, lowest: int, highest: int) -> Tensor:
    factor = (x.shape[-1] * highest) ** -0.5
    steps = x / scale
    integers = steps + (steps.round() - steps).detach()
    on_the_grid = (integers >= lowest) & (integers <= highest)
    rounded = torch.where(on_the_grid, integers, integers.detach().clamp(lowest, highest)) * scale
    return rounded.detach() + factor * (rounded - rounded.detach())
