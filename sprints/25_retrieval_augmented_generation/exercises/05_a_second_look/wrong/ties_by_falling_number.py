"""Sorts pairs of score and number backwards."""

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
    pairs = sorted(zip(scores, numbers, strict=True), reverse=True)
    return [(number, new) for new, number in pairs]


def ceiling(rankings: Sequence[Sequence[tuple[int, float]]], right: Sequence[int], depth: int) -> float:
    """Return the highest recall@1 that any reranker of the first `depth` passages can have."""
    hits = [number in [other for other, _ in found[:depth]] for found, number in zip(rankings, right, strict=True)]
    return sum(hits) / len(hits)
