"""Only the term of those whose answer is yes."""

from torch import Tensor


def binary_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    softplus = (-logits).clamp(min=0) + (-logits.abs()).exp().log1p()
    return (targets * softplus).mean()
