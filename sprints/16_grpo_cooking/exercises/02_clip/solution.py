"""A ratio of probabilities is the exponential of a difference of logarithms."""

import torch
from torch import Tensor


def clipped_objective(log_probs: Tensor, old: Tensor, advantages: Tensor, clip_low: float, clip_high: float) -> Tensor:
    """Return min(ratio A, clip(ratio, 1 - clip_low, 1 + clip_high) A) of each token, (samples, tokens)."""
    ratio = (log_probs - old).exp()  # (samples, tokens)
    advantage = advantages[:, None]  # (samples, 1): the same for all tokens of an answer
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip_low, 1 + clip_high) * advantage)
