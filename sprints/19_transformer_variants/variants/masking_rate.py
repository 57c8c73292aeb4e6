"""What is the least possible loss of a masked language model, by how much is masked? Exactly, for a small grammar.

With the entropy of every set of places everything follows by the chain rule, H(X_i | X_S) = H(X_S and X_i) - H(X_S).
"""

from collections.abc import Sequence
from itertools import combinations
from math import comb

from variants.small_grammar import TextTable


def mean_conditional_entropies(table: TextTable, places: Sequence[int]) -> list[float]:
    """Return g_k for k = 0, 1, ..., n - 1, in nats: the mean of H(X_i | X_S) over all sets S of k places and i outside.

    Han (1978): g_k never rises with k. Their sum is the entropy of all places together.
    """
    entropy = {
        chosen: table.entropy(list(chosen))
        for k in range(len(places) + 1)
        for chosen in combinations(sorted(places), k)
    }
    means = []
    for k in range(len(places)):
        values = [
            entropy[tuple(sorted((*seen, place)))] - entropy[seen]
            for seen in combinations(sorted(places), k)
            for place in places
            if place not in seen
        ]
        means.append(sum(values) / len(values))
    return means


def optimum_by_count(varying: Sequence[float], places: int) -> list[float]:
    """Return g_k of all places, k = 0 to places - 1, from that of the varying ones alone.

    A place that never varies costs nothing and tells nothing. Of k places that are seen, beside the one that is
    asked for, j vary with the hypergeometric probability.

    Args:
        varying: g_j of the places that vary.
        places: how many places there are in all.
    """
    m = len(varying)
    return [
        m / places * sum(
            comb(m - 1, j) * comb(places - m, k - j) / comb(places - 1, k) * varying[j]
            for j in range(max(0, k - places + m), min(m - 1, k) + 1)
        )
        for k in range(places)
    ]  # fmt: skip


def optimum_by_rate(by_count: Sequence[float], rate: float) -> float:
    """Return the least mean loss of a masked place, in nats, if every place is masked with the probability `rate`.

    Each of the n - 1 other places is seen with the probability 1 - rate:

        sum over k of Binomial(k; n - 1, 1 - rate) g_k

    Args:
        by_count: g_k of all places.
        rate: from 0 (one hole) to 1 (nothing is seen).

    Raises:
        ValueError: a rate outside 0 to 1.
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"a rate of masking is from 0 to 1; got {rate}")
    n = len(by_count)
    return sum(comb(n - 1, k) * (1 - rate) ** k * rate ** (n - 1 - k) * by_count[k] for k in range(n))
