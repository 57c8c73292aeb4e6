"""The router of a mixture of experts, and its balance loss.

Fill in `route` and `balance_loss`. Then look how far you are, as often as you like:

    uv run sprints check 19.6
    uv run sprints hint 19.6

The four words in the checks are those of note 14.
"""

from torch import Tensor


def route(logits: Tensor, top_k: int) -> Tensor:
    """Return how much each token takes of each expert: 0 of all but its `top_k`, and 1 in all.

    Args:
        logits: (tokens, experts), the router's scores.
        top_k: experts that a token is sent to.

    Returns:
        (tokens, experts)
    """
    raise NotImplementedError


def balance_loss(logits: Tensor, top_k: int, real: Tensor) -> Tensor:
    """Return experts times the sum over experts of load times mean probability, of one layer.

    Args:
        logits: (tokens, experts), the router's scores.
        top_k: experts that a token is sent to.
        real: (tokens,), True where a token is real and False where it is padding, which must not count.

    Returns:
        One number, from which a gradient flows back to the logits.
    """
    raise NotImplementedError
