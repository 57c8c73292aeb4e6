"""Divided but not compared."""

from torch import Tensor


def group_advantages(rewards: Tensor, scale: bool) -> Tensor:
    return rewards / (rewards.std(dim=1, keepdim=True) + 1e-4) if scale else rewards
