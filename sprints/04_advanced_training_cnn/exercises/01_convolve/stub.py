"""A convolution of one channel with one filter.

Fill in `convolve`. Then look how far you are, as often as you like:

    uv run sprints check 04.1
    uv run sprints hint 04.1

Loops are welcome. Theory: note 1 of this sprint.
"""

from torch import Tensor


def convolve(picture: Tensor, weights: Tensor, stride: int, padding: int) -> Tensor:
    """Return the map: at each place of the filter, the sum of the products with what lies under it.

    Args:
        picture: (height, width)
        weights: (kernel, kernel), the filter. It is not flipped.
        stride: pixels from one place to the next, in both directions.
        padding: rings of zeros around the picture.

    Returns:
        (rows, columns)
    """
    raise NotImplementedError
