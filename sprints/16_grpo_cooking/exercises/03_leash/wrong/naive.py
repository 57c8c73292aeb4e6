"""The naive estimate, which can be negative."""

from torch import Tensor


def divergence(log_probs: Tensor, reference: Tensor) -> Tensor:
    return log_probs - reference
