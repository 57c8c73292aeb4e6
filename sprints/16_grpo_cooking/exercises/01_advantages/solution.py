"""Rewards are compared within their row: minus its mean, and if asked for over its standard deviation."""

from torch import Tensor


def group_advantages(rewards: Tensor, scale: bool) -> Tensor:
    """Return how much better each answer is than the others to the same question, (groups, size)."""
    advantages = rewards - rewards.mean(dim=1, keepdim=True)  # keepdim: (groups, 1) is broadcast along the row
    if scale:
        advantages = advantages / (rewards.std(dim=1, keepdim=True) + 1e-4)
    return advantages
