"""Logarithms are natural ones."""

import math

import torch
from torch import Tensor


def bits(share: float, m: Tensor, u: Tensor, agrees: Tensor) -> Tensor:
    weights = torch.where(agrees == 1, (m / u).log(), ((1 - m) / (1 - u)).log())  # (pairs, properties)
    return math.log(share / (1 - share)) + weights.masked_fill(agrees < 0, 0.0).sum(dim=1)


def em_step(share: float, m: Tensor, u: Tensor, agrees: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    match = 1 / (1 + math.e ** -bits(share, m, u, agrees))  # (pairs,)
    said, equal = (agrees >= 0).to(m.dtype), (agrees == 1).to(m.dtype)
    return match.mean(), match @ equal / (match @ said), (1 - match) @ equal / ((1 - match) @ said)
