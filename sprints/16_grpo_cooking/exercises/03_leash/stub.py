"""The leash, and the average.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 16.3
    uv run sprints hint 16.3

Theory: note 4 of this sprint.
"""

from torch import Tensor


def divergence(log_probs: Tensor, reference: Tensor) -> Tensor:
    """Return r - log r - 1 of each token, with r = reference probability / policy probability; as (samples, tokens).

    Args:
        log_probs: (samples, tokens), log-probabilities of the drawn tokens under the policy.
        reference: (samples, tokens), the same under the reference.
    """
    raise NotImplementedError


def average(losses: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over answers of the mean over the tokens of each answer, a single number.

    Args:
        losses: (samples, tokens); where the mask is False they may hold anything, infinity and NaN included.
        mask: (samples, tokens), True at the tokens that the policy wrote; at least one in each answer.
    """
    raise NotImplementedError
