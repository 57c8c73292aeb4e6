"""A line of pixels in another length.

Fill in `line_weights` and `resize`. Then look how far you are, as often as you like:

    uv run sprints check 22.3
    uv run sprints hint 22.3

Theory: note 1 of this sprint, "Every picture has another size".
"""

from torch import Tensor


def line_weights(old: int, new: int) -> Tensor:
    """Return how much each old pixel counts for each new one, by a triangle around the new pixel's middle.

    Old pixel number i, counted from 0, reaches from i to i + 1, so its middle lies at i + 1/2. The middle of new pixel
    number j lies at (j + 1/2) * old / new. The triangle is 1 in its middle and falls to 0 within one old pixel, or
    within old / new of them if the line becomes shorter. The weights of each new pixel sum to 1.

    Args:
        old: pixels of the line.
        new: pixels that it is to have.

    Returns:
        (new, old), torch.float32
    """
    raise NotImplementedError


def resize(picture: Tensor, height: int, width: int) -> Tensor:
    """Return a picture in another size, by a matrix for its columns and one for its rows; nothing is rounded.

    Args:
        picture: (channels, old height, old width)
        height: rows that it is to have.
        width: columns that it is to have.

    Returns:
        (channels, height, width)
    """
    raise NotImplementedError
