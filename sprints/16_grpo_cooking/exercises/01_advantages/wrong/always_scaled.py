"""The option is overlooked."""

from torch import Tensor


def group_advantages(rewards: Tensor, scale: bool) -> Tensor:
    advantages = rewards - rewards.mean(dim=1, keepdim=True)
    return advantages / (rewards.std(dim=1, keepdim=True) + 1e-4)
