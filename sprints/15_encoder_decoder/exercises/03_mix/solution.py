"""Scheduled sampling mixes from left to right: what the model says follows the mixture, not the truth."""

import torch
from torch import Tensor


def mix(true: Tensor, table: Tensor, coins: Tensor, keep: float) -> Tensor:
    """Return what the decoder reads: from left to right the true token, or what the model says after the mixture."""
    mixed = [true[:, 0]]
    for place in range(1, true.shape[1]):
        said = table[mixed[-1]].argmax(dim=-1)  # (rows)
        mixed.append(torch.where(coins[:, place - 1] < keep, true[:, place], said))
    return torch.stack(mixed, dim=1)
