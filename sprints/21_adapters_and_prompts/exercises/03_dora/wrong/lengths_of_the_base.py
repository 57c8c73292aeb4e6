"""The lengths are those of W, before it was turned."""

from torch import Tensor


def dora(
    x: Tensor, weight: Tensor, bias: Tensor, down: Tensor, up: Tensor, scale: float, length: Tensor, transposed: bool
) -> Tensor:
    frozen = weight.mT if transposed else weight
    turned = frozen + scale * up @ down
    return length / frozen.norm(dim=1) * (x @ turned.mT) + bias
