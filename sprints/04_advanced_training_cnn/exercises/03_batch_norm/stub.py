"""Batch norm with both of its modes.

Fill in `batch_norm`. Then look how far you are, as often as you like:

    uv run sprints check 04.3
    uv run sprints hint 04.3

Theory: note 3 of this sprint.
"""

from torch import Tensor


def batch_norm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    running_mean: Tensor,
    running_variance: Tensor,
    training: bool,
    momentum: float,
    epsilon: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the normalised features, and the running mean and variance after this batch.

    Args:
        x: (images, channels, height, width)
        gamma: (channels,), what the normalised features are multiplied by.
        beta: (channels,), what is added after that.
        running_mean: (channels,)
        running_variance: (channels,)
        training: whether to use the batch's statistics, and to renew the running ones. Otherwise the running ones are
            used, and returned as they are.
        momentum: share of the batch's statistics in the new running ones.
        epsilon: is added to the variance.

    Returns:
        the features, of the shape of x; the running mean; the running variance.
    """
    raise NotImplementedError
