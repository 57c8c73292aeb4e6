"""The grid of 14.1, with a range for each token."""

from torch import Tensor


def round_tokens(x: Tensor, bits: int) -> Tensor:
    """Return activations after a round trip through affine grids, one for each token."""
    most = 2**bits - 1
    low = x.amin(-1, keepdim=True).clamp(max=0)  # (batch, tokens, 1)
    high = x.amax(-1, keepdim=True).clamp(min=0)
    step = ((high - low) / most).clamp(min=1e-12)  # a token of zeros has no range
    zero_point = (-low / step).round()
    return (((x / step).round() + zero_point).clamp(0, most) - zero_point) * step
