"""REINFORCE with a baseline.

Fill in `reinforce_loss`. Then look how far you are, as often as you like:

    uv run sprints check 15.4
    uv run sprints hint 15.4

It is a loss: an optimizer that lowers it raises the expected reward. Theory: note 7.
"""

from torch import Tensor


def reinforce_loss(log_probs: Tensor, rewards: Tensor) -> Tensor:
    """Return the loss whose gradient is minus REINFORCE's estimate, the mean over a batch.

    The baseline of each answer is the mean reward of the *other* answers. No gradient flows through rewards or
    baselines.

    Args:
        log_probs: (answers), the log-probability of each drawn answer; has a gradient.
        rewards: (answers), at least two.

    Returns:
        a single number, ().
    """
    raise NotImplementedError
