"""Read what a search has found again, and order it anew."""

from collections.abc import Callable, Sequence


def rerank(
    found: Sequence[tuple[int, float]],
    score: Callable[[int], float],
    depth: int,
    log_prior: Sequence[float] | None = None,
) -> list[tuple[int, float]]:
    """Return the first `depth` passages in a new order with new scores; the others are dropped."""
    numbers = [number for number, _ in found[:depth]]
    scores = [score(number) + (0.0 if log_prior is None else log_prior[number]) for number in numbers]
    return sorted(zip(numbers, scores, strict=True), key=lambda pair: (-pair[1], pair[0]))


def ceiling(rankings: Sequence[Sequence[tuple[int, float]]], right: Sequence[int], depth: int) -> float:
    """Return the highest recall@1 that any reranker of the first `depth` passages can have."""
    hits = [number in [other for other, _ in found[:depth]] for found, number in zip(rankings, right, strict=True)]
    return sum(hits) / len(hits)
