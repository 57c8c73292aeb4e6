"""eigh sorts from small to large."""

import torch
from torch import Tensor


def project(points: Tensor, components: int) -> Tensor:
    centred = points - points.mean(dim=0)
    return centred @ torch.linalg.eigh(centred.T @ centred)[1][:, :components]
