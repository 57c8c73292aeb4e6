"""The mean and deviation of all answers, whatever they were asked."""

from torch import Tensor


def group_advantages(rewards: Tensor, scale: bool) -> Tensor:
    advantages = rewards - rewards.mean()
    return advantages / (rewards.std() + 1e-4) if scale else advantages
