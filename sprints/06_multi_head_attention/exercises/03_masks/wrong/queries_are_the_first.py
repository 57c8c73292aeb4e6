"""Right as long as there are as many queries as keys."""

import torch
from torch import Tensor


def causal_mask(num_queries: int, num_keys: int) -> Tensor:
    return torch.ones(num_queries, num_keys, dtype=torch.bool).tril()
