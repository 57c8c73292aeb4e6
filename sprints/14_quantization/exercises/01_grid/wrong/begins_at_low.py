"""The grid begins at low, so that 0 may lie between two points."""

from torch import Tensor


def round_trip(x: Tensor, low: float, high: float, bits: int) -> Tensor:
    most = 2**bits - 1
    scale = (high - low) / most
    return ((x - low) / scale).round().clamp(0, most) * scale + low
