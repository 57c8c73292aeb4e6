"""The mean over all tokens, as in DAPO."""

from torch import Tensor


def average(losses: Tensor, mask: Tensor) -> Tensor:
    return losses.where(mask, 0.0).sum() / mask.sum()
