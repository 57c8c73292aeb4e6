"""RMSNorm: the mean stays."""

from torch import Tensor


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    return gain * x / (x.square().mean(dim=-1, keepdim=True) + epsilon).sqrt() + bias
