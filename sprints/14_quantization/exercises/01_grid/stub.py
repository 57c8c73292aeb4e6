"""Numbers on a grid of integers, and back.

Fill in `round_trip`. Then look how far you are:

    uv run sprints check 14.1
    uv run sprints hint 14.1

The grid is worked out by hand in note 1 of this sprint.
"""

from torch import Tensor


def round_trip(x: Tensor, low: float, high: float, bits: int) -> Tensor:
    """Return the numbers that come back from an affine grid, as in note 1.

    Args:
        x: numbers, of any shape.
        low, high: the range that the grid covers; low is at most 0, high at least 0.
        bits: size of the integers, which go from 0 to 2^bits - 1.

    Returns:
        the shape of x; the number 0 is a point of the grid, and what lies outside goes to its nearest end
    """
    raise NotImplementedError
