"""It counts the ones."""

from torch import Tensor


def parity_steps(bits: Tensor) -> tuple[Tensor, Tensor]:
    ones = bits.float()
    return ones.new_ones(ones.shape), ones
