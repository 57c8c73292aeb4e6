"""Several rankings made into one: by places, or by scores."""

from collections import defaultdict
from collections.abc import Sequence

from retrieval.kinds import Retriever

Found = Sequence[tuple[int, float]]  # numbers of documents and their scores, best first


def reciprocal_rank_fusion(
    rankings: Sequence[Found], count: int, k: float = 60.0, weights: Sequence[float] | None = None
) -> list[tuple[int, float]]:
    r"""Fuse rankings by places (Cormack et al. 2009): $\sum_r \frac{w_r}{k + \mathrm{place}_r}$, best first.

    A document that a ranking lacks gets nothing from it. Documents with the same score of a ranking share the mean of
    their places: their order there says nothing.

    Args:
        rankings: of the same documents.
        count: documents to return.
        k: how little the first place is worth more than the second.
        weights: of the rankings (default: 1 each).

    Raises:
        ValueError: as many weights as rankings are needed, and k must be above −1.
    """
    weights = _checked(rankings, weights)
    if k <= -1:
        raise ValueError(f"k must be above -1, or place 1 has no value; got {k}")
    total: dict[int, float] = defaultdict(float)
    for ranking, weight in zip(rankings, weights, strict=True):
        for (number, _), place in zip(ranking, mean_places([score for _, score in ranking]), strict=True):
            total[number] += weight / (k + place)
    return _sorted(total, count)


def mean_places(scores: Sequence[float]) -> list[float]:
    """Return the places of scores in falling order, counted from 1; equal scores share the mean of theirs."""
    places: list[float] = []
    while len(places) < len(scores):
        start = end = len(places)
        while end < len(scores) and scores[end] == scores[start]:
            end += 1
        places += [(start + 1 + end) / 2] * (end - start)
    return places


def weighted_fusion(
    rankings: Sequence[Found], count: int, weights: Sequence[float] | None = None
) -> list[tuple[int, float]]:
    """Fuse rankings by scores: each is brought to 0 (its worst) to 1 (its best), then they are added with weights.

    A document that a ranking lacks gets what its worst gets: 0.

    Raises:
        ValueError: as many weights as rankings are needed.
    """
    weights = _checked(rankings, weights)
    total: dict[int, float] = defaultdict(float)
    for ranking, weight in zip(rankings, weights, strict=True):
        scores = [score for _, score in ranking]
        low, high = (min(scores), max(scores)) if scores else (0.0, 0.0)
        for number, score in ranking:
            total[number] += weight * ((score - low) / (high - low) if high > low else 1.0)
    return _sorted(total, count)


def _checked(rankings: Sequence[Found], weights: Sequence[float] | None) -> Sequence[float]:
    if weights is None:
        return [1.0] * len(rankings)
    if len(weights) != len(rankings):
        raise ValueError(f"each ranking needs a weight; got {len(rankings)} rankings and {len(weights)} weights")
    return weights


def _sorted(total: dict[int, float], count: int) -> list[tuple[int, float]]:
    return sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))[:count]


class Fused:
    """Asks several retrievers, and fuses what they find.

    Args:
        retrievers: of the same documents.
        depth: how many documents each one is asked for.
        weights: of the retrievers (default: 1 each).
        k: of reciprocal rank fusion; None fuses by scores.
    """

    def __init__(
        self,
        retrievers: Sequence[Retriever],
        depth: int = 100,
        weights: Sequence[float] | None = None,
        k: float | None = 60.0,
    ) -> None:
        self.retrievers, self.depth, self.k = retrievers, depth, k
        self.weights = _checked([[] for _ in retrievers], weights)

    def search(self, query: str, count: int) -> list[tuple[int, float]]:
        """Return the numbers and scores of the best `count` documents."""
        rankings = [retriever.search(query, max(count, self.depth)) for retriever in self.retrievers]
        if self.k is None:
            return weighted_fusion(rankings, count, self.weights)
        return reciprocal_rank_fusion(rankings, count, self.k, self.weights)
