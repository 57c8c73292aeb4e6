"""Steps repeated as a whole: neighbours get the steps of different groups."""

import torch
from torch import Tensor


def convert(weight: Tensor, steps: Tensor, bits: int, conv1d: bool) -> Tensor:
    rows = weight.T if conv1d else weight
    each = steps.repeat(1, rows.shape[1] // steps.shape[1])
    return (rows / each).round().clamp(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).to(torch.int8)


def restore(integers: Tensor, steps: Tensor, conv1d: bool) -> Tensor:
    rows = integers * steps.repeat(1, integers.shape[1] // steps.shape[1])
    return rows.T if conv1d else rows
