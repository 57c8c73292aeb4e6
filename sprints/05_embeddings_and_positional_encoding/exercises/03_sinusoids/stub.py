"""Clock hands.

Fill in `sinusoidal_positions`. Then look how far you are:

    uv run sprints check 05.3
    uv run sprints hint 05.3

The table of note 5 is the first check.
"""

from torch import Tensor


def sinusoidal_positions(tokens: int, d_model: int) -> Tensor:
    """Return the encoding of the positions 0 to tokens - 1.

    encoding[p, 2i] = sin(w_i p) and encoding[p, 2i + 1] = cos(w_i p), where w_i = 10000^(-2i / d_model)

    Args:
        tokens: how many positions
        d_model: features of a position, an even number

    Returns:
        (tokens, d_model), float32
    """
    raise NotImplementedError
