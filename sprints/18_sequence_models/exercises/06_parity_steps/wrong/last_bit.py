"""The state is the last bit."""

from torch import Tensor


def parity_steps(bits: Tensor) -> tuple[Tensor, Tensor]:
    ones = bits.float()
    return 0 * ones, ones
