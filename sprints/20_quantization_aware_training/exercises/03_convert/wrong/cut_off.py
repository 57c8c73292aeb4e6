"""The type changes without rounding: digits behind the point are cut off."""

import torch
from torch import Tensor


def convert(weight: Tensor, steps: Tensor, bits: int, conv1d: bool) -> Tensor:
    rows = weight.T if conv1d else weight
    grouped = rows.unflatten(1, (steps.shape[1], -1)) / steps.unsqueeze(-1)
    return grouped.clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).to(torch.int8).flatten(1)
