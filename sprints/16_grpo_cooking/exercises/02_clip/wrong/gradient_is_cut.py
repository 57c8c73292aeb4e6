"""The ratio is detached: the numbers are right and nothing is learnt."""

import torch
from torch import Tensor


def clipped_objective(log_probs: Tensor, old: Tensor, advantages: Tensor, clip_low: float, clip_high: float) -> Tensor:
    ratio, advantage = (log_probs - old).exp().detach(), advantages[:, None]
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip_low, 1 + clip_high) * advantage) + 0 * log_probs
