"""The signs of parity are kept, 1 and -1, which needs a start of 1."""

from torch import Tensor


def parity_steps(bits: Tensor) -> tuple[Tensor, Tensor]:
    ones = bits.float()
    return 1 - 2 * ones, 2 * ones
