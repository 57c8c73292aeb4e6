"""A weighted sampler.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 02.5
    uv run sprints hint 02.5

Weights side by side make a line; a point on it falls into the piece of one item. Theory: note 9 of this sprint.
"""

from torch import Tensor


def balancing_weights(labels: Tensor) -> Tensor:
    """Return a weight for each item such that all classes are drawn equally often: 1 / (items of its class).

    Args:
        labels: int64 (items,), the class of each item. Numbers of classes may have gaps.

    Returns:
        float32 (items,)
    """
    raise NotImplementedError


def draw(weights: Tensor, points: Tensor) -> Tensor:
    """Return the items on which points fall.

    The weights lie side by side, in order, on a line from 0 to their sum. Point p lies at p times the sum. A point on
    the border of two pieces belongs to the second of them.

    Args:
        weights: (items,), at least 0, not all 0; need not add up to 1.
        points: (draws,), at least 0 and below 1.

    Returns:
        int64 (draws,), numbers of items
    """
    raise NotImplementedError
