"""Singular values instead of their squares."""

import torch
from torch import Tensor


def energy(change: Tensor, rank: int) -> Tensor:
    values = torch.linalg.svdvals(change)
    return values[:rank].sum() / values.sum()
