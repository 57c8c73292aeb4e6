"""Models that speak together.

Fill in `mixture_loss` and `better_weights`. Then look how far you are:

    uv run sprints check 12.4
    uv run sprints hint 12.4

Mixtures, and how their weights are found: note 10 of this sprint.
"""

from torch import Tensor


def mixture_loss(weights: Tensor, parts: Tensor) -> Tensor:
    """Return the loss of a mixture in nats per token.

    Args:
        weights: (models,), positive, of sum 1
        parts: (models, targets), the probability that each model gives each true token

    Returns:
        ()
    """
    raise NotImplementedError


def better_weights(weights: Tensor, parts: Tensor) -> Tensor:
    """Return the weights after one round: each model's share of all tokens, by what it contributed to each.

    Args:
        weights: (models,), positive, of sum 1
        parts: (models, targets), as above

    Returns:
        (models,), of sum 1; the mixture's loss on these tokens is not higher than before
    """
    raise NotImplementedError
