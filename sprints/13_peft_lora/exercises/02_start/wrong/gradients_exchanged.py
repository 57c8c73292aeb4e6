"""B's gradient comes first."""

from torch import Tensor


def gradients(weight_gradient: Tensor, down: Tensor, up: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    return scale * weight_gradient @ down.mT, scale * up.mT @ weight_gradient
