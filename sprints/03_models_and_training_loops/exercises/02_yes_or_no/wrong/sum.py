"""The sum over the examples."""

from torch import Tensor


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return (logits.clamp(min=0) - targets * logits + (-logits.abs()).exp().log1p()).sum()
