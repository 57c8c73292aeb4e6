"""It goes up where it should go down."""

from torch import Tensor


def reinforce_loss(log_probs: Tensor, rewards: Tensor) -> Tensor:
    rewards = rewards.detach()
    others = (rewards.sum() - rewards) / (len(rewards) - 1)
    return ((rewards - others) * log_probs).mean()
