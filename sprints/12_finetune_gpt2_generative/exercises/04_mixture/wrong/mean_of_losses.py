"""The losses are mixed, not the probabilities."""

from torch import Tensor


def mixture_loss(weights: Tensor, parts: Tensor) -> Tensor:
    return -(weights @ parts.log()).mean()
