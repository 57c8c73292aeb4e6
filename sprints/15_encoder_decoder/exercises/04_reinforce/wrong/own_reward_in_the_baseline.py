"""The baseline is the mean of all."""

from torch import Tensor


def reinforce_loss(log_probs: Tensor, rewards: Tensor) -> Tensor:
    rewards = rewards.detach()
    return -((rewards - rewards.mean()) * log_probs).mean()
