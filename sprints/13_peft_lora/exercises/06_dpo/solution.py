"""Rewards from log-ratios, and a logistic loss on their difference."""

from torch import Tensor
from torch.nn import functional


def dpo(
    chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return loss, margin and accuracy of a batch of pairs."""
    margins = beta * (chosen - reference_chosen) - beta * (rejected - reference_rejected)
    return -functional.logsigmoid(margins).mean(), margins.mean(), (margins > 0).float().mean()
