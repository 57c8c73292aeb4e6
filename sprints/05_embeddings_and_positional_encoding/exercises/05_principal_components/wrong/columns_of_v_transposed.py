"""V^T is taken for V."""

import torch
from torch import Tensor


def project(points: Tensor, components: int) -> Tensor:
    centred = points - points.mean(dim=0)
    return centred @ torch.linalg.svd(centred, full_matrices=False)[2][:, :components]
