"""The product is right, and the sizes are in A."""

import torch
from torch import Tensor


def cut(change: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    left, values, right = torch.linalg.svd(change, full_matrices=False)
    return values[:rank, None] * right[:rank], left[:, :rank]
