"""How good is a ranking? Recall, reciprocal rank, nDCG and average precision, as expected values under random ties.

Documents with equal scores stand in no order. Here each of their orders is equally probable, and what comes out is the
expected value of a measure. Without ties it is what trec_eval computes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.kinds import Relevant, Run

DEFAULT = ("recall@1", "recall@10", "rr", "ndcg@10", "ap")


@dataclass(frozen=True)
class Level:
    """Documents with the same score: the places before them, how many they are, and the gains of the relevant ones."""

    before: int
    size: int
    gains: tuple[float, ...]

    def share_within(self, k: int | None) -> float:
        """Return the share of the level's places that are at most k: the probability that one of it stands there."""
        return 1.0 if k is None else min(1.0, max(0.0, (k - self.before) / self.size))


def levels(scores: Sequence[float], gains: Sequence[float]) -> list[Level]:
    """Return the levels of a ranking, best first.

    Args:
        scores: of the documents.
        gains: how relevant each of them is; 0 is not relevant.

    Raises:
        ValueError: a score is not a number, or there are not as many gains as scores.
    """
    if any(math.isnan(score) for score in scores):
        raise ValueError("scores must be numbers: not one of them can be compared with nan")
    together: dict[float, list[float]] = {}
    for score, gain in sorted(zip(scores, gains, strict=True), key=lambda pair: -pair[0]):
        together.setdefault(score, []).append(gain)
    found, before = [], 0
    for members in together.values():
        found.append(Level(before, len(members), tuple(gain for gain in members if gain > 0)))
        before += len(members)
    return found


def recall(ranking: Sequence[Level], relevant: int, k: int) -> float:
    """Return the expected share of the relevant documents among the first k."""
    return sum(len(level.gains) * level.share_within(k) for level in ranking) / relevant


def reciprocal_rank(ranking: Sequence[Level]) -> float:
    r"""Return the expected $1/\text{place}$ of the first relevant document, 0 without one.

    In a level of n documents, r of them relevant, the first relevant one stands at place j with probability
    $\binom{n-j}{r-1} / \binom{n}{r}$.
    """
    for level in ranking:
        n, r = level.size, len(level.gains)
        if r:
            probability, total = r / n, 0.0  # of j = 1
            for j in range(1, n - r + 2):
                total += probability / (level.before + j)
                probability *= (n - j - r + 1) / (n - j) if n > j else 0.0
            return total
    return 0.0


def discounted_gain(ranking: Sequence[Level], k: int | None) -> float:
    r"""Return the expected $\sum \text{gain} / \log_2(\text{place} + 1)$ of the first k places (None: of all)."""
    total = 0.0
    for level in ranking:
        end = level.before + level.size if k is None else min(k, level.before + level.size)
        discounts = sum(1 / math.log2(place + 1) for place in range(level.before + 1, end + 1))
        total += sum(level.gains) * discounts / level.size
    return total


def normalised_gain(ranking: Sequence[Level], gains: Sequence[float], k: int | None) -> float:
    """Return the expected discounted gain as a share of the best possible one (nDCG).

    Args:
        ranking: what was found.
        gains: of all relevant documents, found or not.
        k: how many places count.
    """
    ideal = [Level(place, 1, (gain,)) for place, gain in enumerate(sorted(gains, reverse=True))]
    return discounted_gain(ranking, k) / discounted_gain(ideal, k)


def average_precision(ranking: Sequence[Level], relevant: int) -> float:
    r"""Return the expected mean, over the relevant documents, of the precision at their places.

    A relevant document at place j of a level of n with r relevant ones has $(r-1)(j-1)/(n-1)$ others of it before it.
    """
    total, found = 0.0, 0
    for level in ranking:
        n, r = level.size, len(level.gains)
        if r:
            beside = (r - 1) / (n - 1) if n > 1 else 0.0
            places = range(1, n + 1)
            total += r / n * sum((found + 1 + beside * (j - 1)) / (level.before + j) for j in places)
        found += r
    return total / relevant


def measure(name: str, ranking: Sequence[Level], gains: Sequence[float]) -> float:
    """Return a measure of a ranking: "recall@10", "ndcg@10", "ndcg", "rr" (reciprocal rank), "ap".

    Raises:
        ValueError: an unknown measure, or nothing is relevant.
    """
    kind, _, places = name.partition("@")
    if (places and not (places.isdigit() and int(places))) or (kind == "recall") > bool(places):
        raise ValueError(f"after @ stands how many places count, at least 1, and recall needs it; got {name!r}")
    if not any(gain > 0 for gain in gains):
        raise ValueError("a query without a relevant document has no measure: leave it out")
    k = int(places) if places else None
    gains = [gain for gain in gains if gain > 0]
    if kind == "recall" and k is not None:
        return recall(ranking, len(gains), k)
    if kind == "ndcg":
        return normalised_gain(ranking, gains, k)
    if name == "rr":
        return reciprocal_rank(ranking)
    if name == "ap":
        return average_precision(ranking, len(gains))
    raise ValueError(f"measures are recall@k, ndcg@k, ndcg, rr and ap; got {name!r}")


def evaluate(run: Run, relevant: Relevant, names: Sequence[str] = DEFAULT) -> dict[str, list[float]]:
    """Return each measure for each query of `relevant`, in its order. A query that the run lacks found nothing."""
    rankings = {query: ranking_of(run.get(query, {}), judged) for query, judged in relevant.items()}
    return {
        name: [measure(name, rankings[query], list(judged.values())) for query, judged in relevant.items()]
        for name in names
    }


def ranking_of(found: Mapping[str, float], judged: Mapping[str, int]) -> list[Level]:
    """Return the levels of what was found for a query."""
    return levels(list(found.values()), [float(judged.get(document, 0)) for document in found])
