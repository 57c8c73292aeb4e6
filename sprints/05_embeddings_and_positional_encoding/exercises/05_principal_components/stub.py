"""Principal components.

Fill in `project` and `shares_of_variance`. Then look how far you are:

    uv run sprints check 05.5
    uv run sprints hint 05.5

The first checks are the four points of note 7. A direction and its opposite are equally good: the checks do not mind
the sign of a component. Use `torch.linalg.svd`, not `torch.pca_lowrank`, which is the answer.
"""

from torch import Tensor


def project(points: Tensor, components: int) -> Tensor:
    """Return the coordinates of points along the directions in which they vary most.

    Args:
        points: (points, features)
        components: how many directions

    Returns:
        (points, components), the direction of largest variance first
    """
    raise NotImplementedError


def shares_of_variance(points: Tensor) -> Tensor:
    """Return the share of the variance along each principal direction, the largest first.

    Args:
        points: (points, features), more points than features

    Returns:
        (features), which add up to 1
    """
    raise NotImplementedError
