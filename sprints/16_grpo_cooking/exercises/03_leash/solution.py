"""k3 from two logarithms, and a mean of means that padding has no part in."""

from torch import Tensor


def divergence(log_probs: Tensor, reference: Tensor) -> Tensor:
    """Return r - log r - 1 of each token, with r = reference probability / policy probability; as (samples, tokens)."""
    log_ratio = reference - log_probs
    return log_ratio.exp() - log_ratio - 1


def average(losses: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over answers of the mean over the tokens of each answer, a single number."""
    written = losses.where(mask, 0.0)  # replaced, not multiplied: 0 times infinity is not a number
    return (written.sum(dim=1) / mask.sum(dim=1)).mean()
