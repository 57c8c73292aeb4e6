"""Mean and standard deviation are taken for constants."""

from torch import Tensor


def layer_norm_backward(x: Tensor, upstream: Tensor, epsilon: float) -> Tensor:
    centred = x - x.mean(dim=-1, keepdim=True)
    std = (centred.square().mean(dim=-1, keepdim=True) + epsilon).sqrt()
    return upstream / std
