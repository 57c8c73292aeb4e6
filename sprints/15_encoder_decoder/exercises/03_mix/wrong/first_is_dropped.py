"""The first token is left out."""

import torch
from torch import Tensor


def mix(true: Tensor, table: Tensor, coins: Tensor, keep: float) -> Tensor:
    last, mixed = true[:, 0], []
    for place in range(1, true.shape[1]):
        last = torch.where(coins[:, place - 1] < keep, true[:, place], table[last].argmax(dim=-1))
        mixed.append(last)
    return torch.stack(mixed, dim=1)
