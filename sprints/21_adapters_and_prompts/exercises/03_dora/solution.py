"""Turn the rows, forget their lengths, give them new ones."""

from torch import Tensor


def dora(
    x: Tensor, weight: Tensor, bias: Tensor, down: Tensor, up: Tensor, scale: float, length: Tensor, transposed: bool
) -> Tensor:
    """Return m / |V| * (V x) + b with V = W + scale * B A."""
    turned = (weight.mT if transposed else weight) + scale * up @ down  # (out, in)
    lengths = turned.detach().norm(dim=1)  # of each row; a constant to gradients
    return length / lengths * (x @ turned.mT) + bias
