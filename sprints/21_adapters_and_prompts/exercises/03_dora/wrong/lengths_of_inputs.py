"""The lengths are taken along the second axis of the stored weight: in Conv1D, those of the inputs."""

from torch import Tensor


def dora(
    x: Tensor, weight: Tensor, bias: Tensor, down: Tensor, up: Tensor, scale: float, length: Tensor, transposed: bool
) -> Tensor:
    change = scale * up @ down
    stored = weight + (change.mT if transposed else change)
    lengths = stored.detach().norm(dim=1)
    turned = stored.mT if transposed else stored
    return length / lengths * (x @ turned.mT) + bias
