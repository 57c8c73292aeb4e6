"""The sample variance: divided by d_model - 1."""

from torch import Tensor


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    centred = x - x.mean(dim=-1, keepdim=True)
    return gain * centred / (x.var(dim=-1, keepdim=True) + epsilon).sqrt() + bias
