"""The policy that drew the tokens stands above the line."""

import torch
from torch import Tensor


def clipped_objective(log_probs: Tensor, old: Tensor, advantages: Tensor, clip_low: float, clip_high: float) -> Tensor:
    ratio, advantage = (old - log_probs).exp(), advantages[:, None]
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip_low, 1 + clip_high) * advantage)
