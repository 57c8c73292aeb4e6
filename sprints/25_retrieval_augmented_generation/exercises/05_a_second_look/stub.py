"""Read what a search has found again, and order it anew.

Fill in both functions. Then look how far you are:

    uv run sprints check 25.5
    uv run sprints hint 25.5
"""

from collections.abc import Callable, Sequence


def rerank(
    found: Sequence[tuple[int, float]],
    score: Callable[[int], float],
    depth: int,
    log_prior: Sequence[float] | None = None,
) -> list[tuple[int, float]]:
    """Return the first `depth` passages in a new order with new scores; the others are dropped.

    Args:
        found: numbers of passages and scores of the first search, best first.
        score: the cross-encoder: it takes the number of a passage, and is expensive. Do not ask it in vain.
        depth: how many passages are read again, or all that were found if these are fewer.
        log_prior: for each passage of the collection, by its number; it is added to the new score.

    Returns:
        Numbers and new scores, best first. Passages with equal new scores keep the order of the first search.
    """
    raise NotImplementedError


def ceiling(rankings: Sequence[Sequence[tuple[int, float]]], right: Sequence[int], depth: int) -> float:
    """Return the highest recall@1 that any reranker of the first `depth` passages can have.

    Args:
        rankings: what the first search has found for each question, as in `rerank`.
        right: the number of the right passage of each question.
        depth: how many passages are read again.
    """
    raise NotImplementedError
