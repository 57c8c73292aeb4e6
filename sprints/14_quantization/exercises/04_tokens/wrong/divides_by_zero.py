"""A token of zeros divides by a step of 0."""

from torch import Tensor


def round_tokens(x: Tensor, bits: int) -> Tensor:
    most = 2**bits - 1
    low, high = x.amin(-1, keepdim=True).clamp(max=0), x.amax(-1, keepdim=True).clamp(min=0)
    step = (high - low) / most
    zero_point = (-low / step).round()
    return (((x / step).round() + zero_point).clamp(0, most) - zero_point) * step
