"""The squares are missing."""

import torch
from torch import Tensor


def shares_of_variance(points: Tensor) -> Tensor:
    values = torch.linalg.svdvals(points - points.mean(dim=0))
    return values / values.sum()
