"""The formula without the case of a negative logit."""

from torch import Tensor


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return ((1 - targets) * logits + (-logits).exp().log1p()).mean()
