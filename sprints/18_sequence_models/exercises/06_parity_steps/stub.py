"""A linear recurrence that keeps the parity.

Fill in `parity_steps`. Then look how far you are, as often as you like:

    uv run sprints check 18.6
    uv run sprints hint 18.6

Theory: note 11 of this sprint.
"""

from torch import Tensor


def parity_steps(bits: Tensor) -> tuple[Tensor, Tensor]:
    """Return decays and inputs with which h = decay h + input is 1 if the ones so far are odd, and 0 if they are even.

    The state begins at 0. Decays lie from -1 to 1.

    Args:
        bits: (rows, tokens), zeros and ones.

    Returns:
        the decay at each token, (rows, tokens), and the input at each token, (rows, tokens), both of the type float32
    """
    raise NotImplementedError
