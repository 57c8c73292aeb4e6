"""Rewards as they are."""

from torch import Tensor


def reinforce_loss(log_probs: Tensor, rewards: Tensor) -> Tensor:
    return -(rewards.detach() * log_probs).mean()
