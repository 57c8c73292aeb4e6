"""Lets a level behind place k count less than nothing."""

import math
from collections.abc import Sequence


def expected_recall(scores: Sequence[float], relevant: Sequence[bool], k: int) -> float:
    """Return the expected share of the relevant documents that are among the first k."""
    found = 0.0
    for score, is_relevant in zip(scores, relevant, strict=True):
        if is_relevant:
            higher = sum(other > score for other in scores)
            level = sum(other == score for other in scores)
            found += min(1.0, (k - higher) / level)
    return found / sum(relevant)


def expected_reciprocal_rank(scores: Sequence[float], relevant: Sequence[bool]) -> float:
    """Return the expected value of 1 / the place of the first relevant document."""
    best = max(score for score, is_relevant in zip(scores, relevant, strict=True) if is_relevant)
    higher = sum(score > best for score in scores)
    level = [is_relevant for score, is_relevant in zip(scores, relevant, strict=True) if score == best]
    n, r = len(level), sum(level)
    return sum(math.comb(n - j, r - 1) / math.comb(n, r) / (higher + j) for j in range(1, n - r + 2))
