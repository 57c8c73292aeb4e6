"""The first place is forgotten."""

import torch
from torch import Tensor


def two_averages(p_first: Tensor, q_first: Tensor, p_next: Tensor, q_next: Tensor) -> Tensor:
    after = (p_next * (p_next / q_next).log()).sum(dim=-1)
    return torch.stack([p_first @ after, q_first @ after])
