"""The chain rule without the scale."""

from torch import Tensor


def gradients(weight_gradient: Tensor, down: Tensor, up: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    return up.mT @ weight_gradient, weight_gradient @ down.mT
