"""Takes the first relevant one of a level for any one of it."""

from collections.abc import Sequence


def expected_recall(scores: Sequence[float], relevant: Sequence[bool], k: int) -> float:
    """Return the expected share of the relevant documents that are among the first k."""
    found = 0.0
    for score, is_relevant in zip(scores, relevant, strict=True):
        if is_relevant:
            higher = sum(other > score for other in scores)
            level = sum(other == score for other in scores)
            found += min(1.0, max(0.0, (k - higher) / level))
    return found / sum(relevant)


def expected_reciprocal_rank(scores: Sequence[float], relevant: Sequence[bool]) -> float:
    """Return the expected value of 1 / the place of the first relevant document."""
    best = max(score for score, is_relevant in zip(scores, relevant, strict=True) if is_relevant)
    higher = sum(score > best for score in scores)
    level = sum(score == best for score in scores)
    return sum(1 / (higher + j) for j in range(1, level + 1)) / level
