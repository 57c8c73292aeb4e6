"""Parity: a one exchanges 0 and 1, a zero leaves the state."""

from torch import Tensor


def parity_steps(bits: Tensor) -> tuple[Tensor, Tensor]:
    """Return decays and inputs with which h = decay h + input is the parity of the ones so far."""
    ones = bits.float()
    return 1 - 2 * ones, ones  # at a one: 1 - h; at a zero: h
