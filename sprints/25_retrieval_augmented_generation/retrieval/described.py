"""Debian's descriptions found by words, vectors, and both: rankings, what is chosen on validation, what is measured."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from retrieval.bm25 import BM25
from retrieval.debian import KnownItems
from retrieval.fusion import Found, reciprocal_rank_fusion, weighted_fusion
from retrieval.intervals import Estimate, mean_over_queries
from retrieval.kinds import as_run
from retrieval.metrics import evaluate
from retrieval.ranking import best
from retrieval.words import Words

MEASURES = ("recall@1", "recall@10", "ndcg@10")
DEPTH = 100  # documents of each ranking
WEIGHTS = tuple(step / 10 for step in range(11))  # of the vectors; the words have the rest
PLACES = (0.0, 2.0, 10.0, 60.0)  # k of reciprocal rank fusion
Rankings = list[Found]  # of all queries
Values = dict[str, list[float]]  # by measure, of all queries


def by_words(items: KnownItems) -> Rankings:
    """Return what BM25 finds, with the settings that which_bm25.py chose on the validation split."""
    bm25 = BM25(items.documents, Words(shortest=1, stem=True), k1=0.4, b=1.0)
    return [bm25.search(query, DEPTH) for query in items.queries]


def by_vectors(items: KnownItems, encode: Callable[[Sequence[str]], Float[ndarray, "texts features"]]) -> Rankings:
    """Return what unit vectors find; cosines that differ by less than a millionth are ties."""
    documents, queries = encode(items.documents), encode(items.queries)
    return [best((documents @ query).astype(float).round(6), DEPTH) for query in queries]


def values_of(rankings: Rankings, items: KnownItems) -> Values:
    """Return each measure for each query."""
    return evaluate(as_run(rankings), items.relevant, MEASURES)


def estimates_of(values: Values, generator: np.random.Generator) -> dict[str, Estimate]:
    """Return the means with their intervals over queries."""
    return {name: mean_over_queries(values[name], generator) for name in MEASURES}


@dataclass(frozen=True)
class Fusions:
    """How to fuse two rankings, chosen by nDCG@10 on the validation split."""

    weight: float  # of the vectors' scores
    k: float  # of reciprocal rank fusion
    by_weight: list[float]  # nDCG@10 for each of WEIGHTS
    by_k: list[float]  # and for each of PLACES

    def by_scores(self, words: Rankings, vectors: Rankings) -> Rankings:
        """Fuse by scores, with the chosen weight."""
        return _by_scores(words, vectors, self.weight)

    def by_places(self, words: Rankings, vectors: Rankings) -> Rankings:
        """Fuse by places, with the chosen k."""
        return _by_places(words, vectors, self.k)


def _by_scores(words: Rankings, vectors: Rankings, weight: float) -> Rankings:
    pairs = zip(words, vectors, strict=True)
    return [weighted_fusion(pair, DEPTH, [1 - weight, weight]) for pair in pairs]


def _by_places(words: Rankings, vectors: Rankings, k: float) -> Rankings:
    return [reciprocal_rank_fusion(pair, DEPTH, k) for pair in zip(words, vectors, strict=True)]


def choose_fusions(words: Rankings, vectors: Rankings, items: KnownItems) -> Fusions:
    """Try all weights and all k on a validation split; of equal ones the first is taken."""

    def score(rankings: Rankings) -> float:
        return statistics.fmean(values_of(rankings, items)["ndcg@10"])

    by_weight = [score(_by_scores(words, vectors, weight)) for weight in WEIGHTS]
    by_k = [score(_by_places(words, vectors, k)) for k in PLACES]
    return Fusions(
        WEIGHTS[int(np.argmax(by_weight))], PLACES[int(np.argmax(by_k))], by_weight, by_k
    )  # fmt: skip
