"""Logits are cut off at 30 so that nothing overflows."""

from torch import Tensor


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    logits = logits.clamp(-30, 30)
    return ((1 - targets) * logits + (-logits).exp().log1p()).mean()
