"""One grid for all tokens."""

from torch import Tensor


def round_tokens(x: Tensor, bits: int) -> Tensor:
    most, low, high = 2**bits - 1, x.min().clamp(max=0), x.max().clamp(min=0)
    step = (high - low) / most
    zero_point = (-low / step).round()
    return (((x / step).round() + zero_point).clamp(0, most) - zero_point) * step
