"""A grid for each feature."""

from torch import Tensor


def round_tokens(x: Tensor, bits: int) -> Tensor:
    most = 2**bits - 1
    low, high = x.amin((0, 1), keepdim=True).clamp(max=0), x.amax((0, 1), keepdim=True).clamp(min=0)
    step = ((high - low) / most).clamp(min=1e-12)
    zero_point = (-low / step).round()
    return (((x / step).round() + zero_point).clamp(0, most) - zero_point) * step
