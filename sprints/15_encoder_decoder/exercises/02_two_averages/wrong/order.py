"""The model's own prefixes come first."""

import torch
from torch import Tensor


def two_averages(p_first: Tensor, q_first: Tensor, p_next: Tensor, q_next: Tensor) -> Tensor:
    first = (p_first * (p_first / q_first).log()).sum()
    after = (p_next * (p_next / q_next).log()).sum(dim=-1)
    return first + torch.stack([q_first @ after, p_first @ after])
