"""The mean is not subtracted."""

import torch
from torch import Tensor


def project(points: Tensor, components: int) -> Tensor:
    directions = torch.linalg.svd(points, full_matrices=False)[2]
    return points @ directions[:components].T
