"""Over the tokens instead of the features."""

from torch import Tensor


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    dim = -2 if x.dim() > 1 else -1
    centred = x - x.mean(dim=dim, keepdim=True)
    return gain * centred / (centred.square().mean(dim=dim, keepdim=True) + epsilon).sqrt() + bias
