"""True where nothing may be seen."""

import torch
from torch import Tensor


def causal_mask(num_queries: int, num_keys: int) -> Tensor:
    return torch.ones(num_queries, num_keys, dtype=torch.bool).triu(num_keys - num_queries + 1)


def padding_mask(lengths: Tensor, tokens: int) -> Tensor:
    return (torch.arange(tokens) >= lengths[:, None])[:, None, None, :]
