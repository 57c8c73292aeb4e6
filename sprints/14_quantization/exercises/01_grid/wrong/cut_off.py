"""Whole numbers as `.int()` makes them: cut off towards 0."""

from torch import Tensor


def round_trip(x: Tensor, low: float, high: float, bits: int) -> Tensor:
    most = 2**bits - 1
    scale = (high - low) / most
    zero_point = round(-low / scale)
    integers = ((x / scale).int() + zero_point).clamp(0, most)
    return (integers - zero_point) * scale
