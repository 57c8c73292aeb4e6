"""Scale and zero point, to integers, and back."""

from torch import Tensor


def round_trip(x: Tensor, low: float, high: float, bits: int) -> Tensor:
    """Return the numbers that come back from an affine grid."""
    most = 2**bits - 1
    scale = (high - low) / most
    zero_point = round(-low / scale)
    integers = ((x / scale).round() + zero_point).clamp(0, most)
    return (integers - zero_point) * scale
