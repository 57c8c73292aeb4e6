"""As many steps as there are integers."""

from torch import Tensor


def round_trip(x: Tensor, low: float, high: float, bits: int) -> Tensor:
    scale = (high - low) / 2**bits
    zero_point = round(-low / scale)
    integers = ((x / scale).round() + zero_point).clamp(0, 2**bits - 1)
    return (integers - zero_point) * scale
