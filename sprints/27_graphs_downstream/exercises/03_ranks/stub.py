"""The rank of a hidden answer: filtered, with ties at the mean of their places; and the mean over questions.

Fill in both functions. Then look how far you are:

    uv run sprints check 27.3
    uv run sprints hint 27.3
"""

from torch import Tensor


def filtered_ranks(scores: Tensor, answers: Tensor, known: Tensor) -> Tensor:
    """Return the rank of each answer among those that are left, as (questions,) of float64.

    Args:
        scores: (questions, entities), higher is better.
        answers: (questions,), the hidden entity of each question.
        known: boolean (questions, entities), True for each entity that makes a true fact, the answer too. Others than
            the answer take no part.

    Raises:
        ValueError: a score is NaN.
    """
    raise NotImplementedError


def mean_reciprocal_rank(ranks: Tensor) -> float:
    """Return the mean of 1 / rank.

    Raises:
        ValueError: there is no rank.
    """
    raise NotImplementedError
