"""Exposure bias is the difference of these two numbers."""

import torch
from torch import Tensor


def two_averages(p_first: Tensor, q_first: Tensor, p_next: Tensor, q_next: Tensor) -> Tensor:
    """Return the divergence of a model q from a task p of two places, on the data's prefixes and on the model's own."""
    first = (p_first * (p_first / q_first).log()).sum()  # before it there is nothing: the same in both
    after = (p_next * (p_next / q_next).log()).sum(dim=-1)  # (symbols): one for each first symbol
    return first + torch.stack([p_first @ after, q_first @ after])
