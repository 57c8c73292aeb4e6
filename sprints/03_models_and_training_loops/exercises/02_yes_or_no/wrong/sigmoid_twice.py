"""The loss of PyTorch that takes logits, given probabilities."""

from torch import Tensor


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    logits = logits.sigmoid()
    return (logits.clamp(min=0) - targets * logits + (-logits.abs()).exp().log1p()).mean()
