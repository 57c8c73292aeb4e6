"""Zeros and ones are exchanged."""

from torch import Tensor


def parity_steps(bits: Tensor) -> tuple[Tensor, Tensor]:
    ones = bits.float()
    return 2 * ones - 1, 1 - ones
