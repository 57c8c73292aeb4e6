"""REINFORCE: log-probabilities weighted by how much better an answer was than the others."""

from torch import Tensor


def reinforce_loss(log_probs: Tensor, rewards: Tensor) -> Tensor:
    """Return the loss whose gradient is minus REINFORCE's estimate, the mean over a batch."""
    rewards = rewards.detach()
    others = (rewards.sum() - rewards) / (len(rewards) - 1)  # without the own one: independent of the own draw
    return -((rewards - others) * log_probs).mean()
