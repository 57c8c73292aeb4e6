"""Features are divided by their standard deviation."""

import torch
from torch import Tensor


def project(points: Tensor, components: int) -> Tensor:
    scaled = (points - points.mean(dim=0)) / points.std(dim=0)
    return scaled @ torch.linalg.svd(scaled, full_matrices=False)[2][:components].T
