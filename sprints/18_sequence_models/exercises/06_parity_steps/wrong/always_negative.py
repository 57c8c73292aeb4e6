"""The decay is -1 at every token."""

from torch import Tensor


def parity_steps(bits: Tensor) -> tuple[Tensor, Tensor]:
    ones = bits.float()
    return -ones.new_ones(ones.shape), ones
