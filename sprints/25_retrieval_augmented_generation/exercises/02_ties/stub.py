"""Measures of a ranking in which documents have equal scores: expected values over all orders of the equal ones.

Fill in both functions. Then look how far you are:

    uv run sprints check 25.2
    uv run sprints hint 25.2

`scores` has a number for each document, `relevant` says which of them are relevant; at least one is. Documents with
equal scores stand in a random order, each of which is equally probable.
"""

from collections.abc import Sequence


def expected_recall(scores: Sequence[float], relevant: Sequence[bool], k: int) -> float:
    """Return the expected share of the relevant documents that are among the first k."""
    raise NotImplementedError


def expected_reciprocal_rank(scores: Sequence[float], relevant: Sequence[bool]) -> float:
    """Return the expected value of 1 / the place of the first relevant document."""
    raise NotImplementedError
