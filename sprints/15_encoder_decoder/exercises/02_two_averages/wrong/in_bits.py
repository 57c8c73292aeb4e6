"""Logarithms of base 2."""

import torch
from torch import Tensor


def two_averages(p_first: Tensor, q_first: Tensor, p_next: Tensor, q_next: Tensor) -> Tensor:
    first = (p_first * (p_first / q_first).log2()).sum()
    after = (p_next * (p_next / q_next).log2()).sum(dim=-1)
    return first + torch.stack([p_first @ after, q_first @ after])
