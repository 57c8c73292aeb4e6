"""Where both agree it is 1."""

from torch import Tensor


def divergence(log_probs: Tensor, reference: Tensor) -> Tensor:
    log_ratio = reference - log_probs
    return log_ratio.exp() - log_ratio
