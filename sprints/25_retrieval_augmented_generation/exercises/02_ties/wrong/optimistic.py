"""Counts how many are higher."""

from collections.abc import Sequence


def expected_recall(scores: Sequence[float], relevant: Sequence[bool], k: int) -> float:
    """Return the expected share of the relevant documents that are among the first k."""
    found = 0.0
    for score, is_relevant in zip(scores, relevant, strict=True):
        if is_relevant:
            higher = sum(other > score for other in scores)
            found += higher < k
    return found / sum(relevant)


def expected_reciprocal_rank(scores: Sequence[float], relevant: Sequence[bool]) -> float:
    """Return the expected value of 1 / the place of the first relevant document."""
    best = max(score for score, is_relevant in zip(scores, relevant, strict=True) if is_relevant)
    higher = sum(score > best for score in scores)
    return 1 / (higher + 1)
