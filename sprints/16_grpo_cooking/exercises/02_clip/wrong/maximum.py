"""The larger of the two: progress is unlimited, mistakes are locked in."""

import torch
from torch import Tensor


def clipped_objective(log_probs: Tensor, old: Tensor, advantages: Tensor, clip_low: float, clip_high: float) -> Tensor:
    ratio, advantage = (log_probs - old).exp(), advantages[:, None]
    return torch.maximum(ratio * advantage, ratio.clamp(1 - clip_low, 1 + clip_high) * advantage)
