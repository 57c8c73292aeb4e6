"""Normalised along the text instead of over the features."""

from torch import Tensor


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: float = 1e-5) -> Tensor:
    away = x - x.mean(dim=1, keepdim=True)
    return away / (away.square().mean(dim=1, keepdim=True) + epsilon).sqrt() * weight + bias
