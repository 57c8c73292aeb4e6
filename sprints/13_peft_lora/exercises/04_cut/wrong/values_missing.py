"""Directions without their sizes."""

import torch
from torch import Tensor


def cut(change: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    left, _, right = torch.linalg.svd(change, full_matrices=False)
    return right[:rank], left[:, :rank]
