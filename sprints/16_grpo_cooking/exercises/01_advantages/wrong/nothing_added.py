"""Nothing is added to the deviation: a group without a signal becomes NaN."""

from torch import Tensor


def group_advantages(rewards: Tensor, scale: bool) -> Tensor:
    advantages = rewards - rewards.mean(dim=1, keepdim=True)
    return advantages / rewards.std(dim=1, keepdim=True) if scale else advantages
