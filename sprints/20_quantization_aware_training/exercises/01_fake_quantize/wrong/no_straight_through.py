"""The values are right, and the gradient is that of rounding: 0."""

from torch import Tensor


def fake_quantize(x: Tensor, scale: Tensor, zero_point: int, lowest: int, highest: int) -> Tensor:
    integers = ((x / scale).round() + zero_point).clamp(lowest, highest)
    return (integers - zero_point) * scale
