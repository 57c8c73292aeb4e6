"""Sorts, which keeps the order of equals."""

from collections.abc import Sequence


def expected_recall(scores: Sequence[float], relevant: Sequence[bool], k: int) -> float:
    """Return the expected share of the relevant documents that are among the first k."""
    order = sorted(range(len(scores)), key=lambda number: -scores[number])
    return sum(relevant[number] for number in order[:k]) / sum(relevant)


def expected_reciprocal_rank(scores: Sequence[float], relevant: Sequence[bool]) -> float:
    """Return the expected value of 1 / the place of the first relevant document."""
    order = sorted(range(len(scores)), key=lambda number: -scores[number])
    return 1 / (1 + [relevant[number] for number in order].index(True))
