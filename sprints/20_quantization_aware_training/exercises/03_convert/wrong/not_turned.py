"""A Conv1D is taken for a Linear."""

import torch
from torch import Tensor


def convert(weight: Tensor, steps: Tensor, bits: int, conv1d: bool) -> Tensor:
    grouped = weight.unflatten(1, (steps.shape[1], -1)) / steps.unsqueeze(-1)
    return grouped.round().clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).to(torch.int8).flatten(1)
