"""The loss of negative sampling.

Fill in `negative_sampling_loss`. Then look how far you are:

    uv run sprints check 05.2
    uv run sprints hint 05.2

The first check is the example of note 3.
"""

from torch import Tensor


def negative_sampling_loss(centre: Tensor, context: Tensor, noise: Tensor) -> Tensor:
    """Return -log s(context . centre) - sum over the noise of log s(-noise . centre) for each pair.

    s(x) = 1 / (1 + e^-x)

    Args:
        centre: (pairs, features)
        context: (pairs, features)
        noise: (pairs, negatives, features), the words of noise of each pair

    Returns:
        (pairs)
    """
    raise NotImplementedError
