"""The columns of `right` are taken for the directions, as in libraries that return V and not its transpose."""

import torch
from torch import Tensor


def cut(change: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    left, values, right = torch.linalg.svd(change, full_matrices=False)
    return right[:, :rank].mT, left[:, :rank] * values[:rank]
