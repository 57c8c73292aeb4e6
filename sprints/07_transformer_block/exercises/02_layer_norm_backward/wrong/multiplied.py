"""Multiplied where it must be divided."""

from torch import Tensor


def layer_norm_backward(x: Tensor, upstream: Tensor, epsilon: float) -> Tensor:
    centred = x - x.mean(dim=-1, keepdim=True)
    std = (centred.square().mean(dim=-1, keepdim=True) + epsilon).sqrt()
    n = centred / std
    return (upstream - upstream.mean(dim=-1, keepdim=True) - n * (upstream * n).mean(dim=-1, keepdim=True)) * std
