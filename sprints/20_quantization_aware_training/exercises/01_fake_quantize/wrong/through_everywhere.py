"""The whole round trip is passed straight through, the clamp too."""

from torch import Tensor


def fake_quantize(x: Tensor, scale: Tensor, zero_point: int, lowest: int, highest: int) -> Tensor:
    integers = ((x / scale).round() + zero_point).clamp(lowest, highest)
    return x + ((integers - zero_point) * scale - x).detach()
