"""Centre, decompose, project."""

import torch
from torch import Tensor


def project(points: Tensor, components: int) -> Tensor:
    """Return the coordinates of points along the directions in which they vary most, (points, components)."""
    centred = points - points.mean(dim=0)
    _, _, directions = torch.linalg.svd(centred, full_matrices=False)  # a direction in each row
    return centred @ directions[:components].T


def shares_of_variance(points: Tensor) -> Tensor:
    """Return the share of the variance along each principal direction, (features)."""
    squares = torch.linalg.svdvals(points - points.mean(dim=0)).square()
    return squares / squares.sum()
