"""One length for the whole matrix."""

from torch import Tensor


def dora(
    x: Tensor, weight: Tensor, bias: Tensor, down: Tensor, up: Tensor, scale: float, length: Tensor, transposed: bool
) -> Tensor:
    turned = (weight.mT if transposed else weight) + scale * up @ down
    return length / turned.detach().norm() * (x @ turned.mT) + bias
