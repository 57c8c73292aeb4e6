"""One mean and one variance for the whole batch."""

from torch import Tensor


def layer_norm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: float) -> Tensor:
    centred = x - x.mean()
    return gain * centred / (centred.square().mean() + epsilon).sqrt() + bias
