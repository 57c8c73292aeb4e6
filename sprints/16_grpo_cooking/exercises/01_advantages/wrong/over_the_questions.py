"""The wrong axis: each answer is compared with answers to other questions."""

from torch import Tensor


def group_advantages(rewards: Tensor, scale: bool) -> Tensor:
    advantages = rewards - rewards.mean(dim=0, keepdim=True)
    return advantages / (rewards.std(dim=0, keepdim=True) + 1e-4) if scale else advantages
