"""The answers are given as inputs, with nothing left to the state."""

from torch import Tensor


def parity_steps(bits: Tensor) -> tuple[Tensor, Tensor]:
    ones = bits.float()
    return 0 * ones, ones.cumsum(dim=1).remainder(2)
