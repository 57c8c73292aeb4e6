"""The divergence of p from q is taken for that of q from p."""

import torch
from torch import Tensor


def two_averages(p_first: Tensor, q_first: Tensor, p_next: Tensor, q_next: Tensor) -> Tensor:
    first = (q_first * (q_first / p_first).log()).sum()
    after = (q_next * (q_next / p_next).log()).sum(dim=-1)
    return first + torch.stack([p_first @ after, q_first @ after])
