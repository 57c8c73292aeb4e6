"""Recall at k, with ties broken at random.

Fill in `recall`. Then look how far you are:

    uv run sprints check 22.5
    uv run sprints hint 22.5

Theory: note 6 of this sprint.
"""

from torch import Tensor


def recall(scores: Tensor, right: Tensor, k: int) -> Tensor:
    """Return the probability that each query's right candidate is among its k best, ties broken at random.

    A model that gives all candidates the same score must get k / candidates.

    Args:
        scores: of each candidate, higher is better, (queries, candidates)
        right: the column of each query's right candidate, whole numbers, (queries,)
        k: how many are looked at

    Returns:
        probabilities, float32, (queries,)
    """
    raise NotImplementedError
