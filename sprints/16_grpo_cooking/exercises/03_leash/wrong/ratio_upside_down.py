"""The policy stands above the line."""

from torch import Tensor


def divergence(log_probs: Tensor, reference: Tensor) -> Tensor:
    log_ratio = log_probs - reference
    return log_ratio.exp() - log_ratio - 1
