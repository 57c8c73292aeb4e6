"""U without the singular values."""

import torch
from torch import Tensor


def project(points: Tensor, components: int) -> Tensor:
    return torch.linalg.svd(points - points.mean(dim=0), full_matrices=False)[0][:, :components]
