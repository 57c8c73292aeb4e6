"""The advantages of a group.

Fill in `group_advantages`. Then look how far you are, as often as you like:

    uv run sprints check 16.1
    uv run sprints hint 16.1

The group of four answers in note 4 is the first check. Theory: notes 2 and 4 of this sprint.
"""

from torch import Tensor


def group_advantages(rewards: Tensor, scale: bool) -> Tensor:
    """Return how much better each answer is than the others to the same question, (groups, size).

    Args:
        rewards: (groups, size), one row for each question; at least two answers in a row.
        scale: whether to divide by the standard deviation of the row (that of a sample, with size - 1), to which 0.0001
            is added, so that a row of equal rewards gives zeros.
    """
    raise NotImplementedError
