"""Every answer is divided by the number of columns."""

from torch import Tensor


def average(losses: Tensor, mask: Tensor) -> Tensor:
    return losses.where(mask, 0.0).mean(dim=1).mean()
