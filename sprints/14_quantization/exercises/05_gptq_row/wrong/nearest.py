"""Each weight for itself."""

from torch import Tensor


def round_row(weight: Tensor, hessian: Tensor, step: float) -> Tensor:
    return (weight / step).round() * step
