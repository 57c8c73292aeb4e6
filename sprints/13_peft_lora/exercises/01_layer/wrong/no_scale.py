"""The scale is forgotten."""

from torch import Tensor


def adapted(x: Tensor, weight: Tensor, down: Tensor, up: Tensor, alpha: float) -> Tensor:
    return x @ weight.mT + x @ down.mT @ up.mT
