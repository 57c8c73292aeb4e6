"""Variances, which do not add up to 1."""

import torch
from torch import Tensor


def shares_of_variance(points: Tensor) -> Tensor:
    return torch.linalg.svdvals(points - points.mean(dim=0)).square() / (len(points) - 1)
