"""A row of outputs, its groups, the steps that were trained; and the way back."""

import torch
from torch import Tensor


def convert(weight: Tensor, steps: Tensor, bits: int, conv1d: bool) -> Tensor:
    """Return the integers of a trained weight, with an output in each row."""
    rows = weight.T if conv1d else weight
    grouped = rows.unflatten(1, (steps.shape[1], -1)) / steps.unsqueeze(-1)  # (outputs, groups, group)
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return grouped.round().clamp(lowest, highest).to(torch.int8).flatten(1)


def restore(integers: Tensor, steps: Tensor, conv1d: bool) -> Tensor:
    """Return the weight that integers and steps stand for, in the layout of the layer."""
    rows = (integers.unflatten(1, (steps.shape[1], -1)) * steps.unsqueeze(-1)).flatten(1)
    return rows.T if conv1d else rows
