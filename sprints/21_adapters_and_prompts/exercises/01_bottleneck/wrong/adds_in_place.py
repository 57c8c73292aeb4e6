"""The frozen layer's output is changed where it stands, for whoever else holds it."""

from torch import Tensor


def adapt(y: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> Tensor:
    y += (y @ down.mT + down_bias).relu() @ up.mT + up_bias
    return y
