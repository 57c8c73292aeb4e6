"""Turning pairs.

Fill in `turn`. Then look how far you are:

    uv run sprints check 05.4
    uv run sprints hint 05.4

The first checks are the example of note 6. The last two ask for what it is good for: dot products that depend on the
distance alone.
"""

from torch import Tensor


def turn(x: Tensor, positions: Tensor, speeds: Tensor) -> Tensor:
    """Return vectors whose pairs of neighbouring features are turned counterclockwise.

    The features 2i and 2i + 1 of the vector in row t turn by the angle positions[t] * speeds[i]:
    (a, b) becomes (a cos - b sin, a sin + b cos).

    Args:
        x: (tokens, features), an even number of features
        positions: (tokens)
        speeds: (features / 2), in radians per position

    Returns:
        (tokens, features)
    """
    raise NotImplementedError
