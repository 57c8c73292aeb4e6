"""The mean of the exponentials, which one surprising token decides."""

from torch import Tensor


def perplexity(losses: Tensor) -> Tensor:
    return losses.exp().mean()
