"""The largest singular values and their directions."""

import torch
from torch import Tensor


def cut(change: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Return A (rank, in) and B (out, rank) of the nearest matrix of a rank."""
    left, values, right = torch.linalg.svd(change, full_matrices=False)
    return right[:rank], left[:, :rank] * values[:rank]


def energy(change: Tensor, rank: int) -> Tensor:
    """Return the part of the energy that the cut keeps."""
    squares = torch.linalg.svdvals(change).square()
    return squares[:rank].sum() / squares.sum()
