"""The exponential of the sum: a longer text looks harder."""

from torch import Tensor


def perplexity(losses: Tensor) -> Tensor:
    return losses.sum().exp()
