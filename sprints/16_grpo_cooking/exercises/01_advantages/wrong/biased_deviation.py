"""The deviation divides by size, as NumPy's does."""

from torch import Tensor


def group_advantages(rewards: Tensor, scale: bool) -> Tensor:
    advantages = rewards - rewards.mean(dim=1, keepdim=True)
    return advantages / (rewards.std(dim=1, keepdim=True, correction=0) + 1e-4) if scale else advantages
