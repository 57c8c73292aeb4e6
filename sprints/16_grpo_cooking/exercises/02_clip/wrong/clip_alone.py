"""Without the minimum a token that went the wrong way has no gradient."""

from torch import Tensor


def clipped_objective(log_probs: Tensor, old: Tensor, advantages: Tensor, clip_low: float, clip_high: float) -> Tensor:
    return (log_probs - old).exp().clamp(1 - clip_low, 1 + clip_high) * advantages[:, None]
