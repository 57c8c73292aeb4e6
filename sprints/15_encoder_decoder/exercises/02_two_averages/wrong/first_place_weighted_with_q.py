"""On own prefixes the first place is averaged over the model as well."""

import torch
from torch import Tensor


def two_averages(p_first: Tensor, q_first: Tensor, p_next: Tensor, q_next: Tensor) -> Tensor:
    after = (p_next * (p_next / q_next).log()).sum(dim=-1)
    ratio = (p_first / q_first).log()
    return torch.stack([p_first @ (ratio + after), q_first @ (ratio + after)])
