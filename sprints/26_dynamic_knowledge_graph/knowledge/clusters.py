"""From links between records to entities: the closure of all links, and clusterings that weigh them against each other.

Correlation clustering (Bansal, Blum & Chawla 2004): each pair has a weight, positive if it looks like one entity,
negative if it looks like two. Wanted is the clustering with the largest sum of weights within its clusters. That is
NP-hard; greedy agglomeration merges the two clusters with the largest sum between them as long as that is positive.
"""

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

Pair = tuple[int, int]
TOGETHER, APART = 1e9, -1e18  # bits of a pair of which somebody has said what it is; not infinite: sums stay numbers


@dataclass(frozen=True)
class Merge:
    """A step of agglomeration: two clusters, by their smallest records, and the sum of weights between them."""

    first: int
    second: int
    bits: float


@dataclass(frozen=True)
class Clusters:
    """For each record the smallest one of its cluster, and the merges that led there, in order."""

    labels: list[int]
    merges: list[Merge]


def closure(count: int, links: Iterable[Pair]) -> list[int]:
    """Return for each record the smallest one that it is linked to, over as many links as it takes (union-find)."""
    parent = list(range(count))

    def root(record: int) -> int:
        while parent[record] != record:
            parent[record] = parent[parent[record]]
            record = parent[record]
        return record

    for a, b in links:
        a, b = sorted((root(a), root(b)))
        parent[b] = a
    return [root(record) for record in range(count)]


def agglomerate(
    count: int,
    links: dict[Pair, float],
    *,
    unknown: float = 0.0,
    apart: Iterable[Pair] = (),
    together: Iterable[Pair] = (),
) -> Clusters:
    """Return the clusters that greedy agglomeration makes, the same for any order of the links.

    Args:
        count: records.
        links: the weight of each compared pair, the smaller number first, in bits; above 0 it speaks for one entity.
        unknown: the weight of a pair that was not compared, at most 0.
        apart: pairs that somebody has said are two entities; no cluster holds both.
        together: pairs that somebody has said are one.

    Raises:
        ValueError: a pair is not in order or out of range, `unknown` is above 0, or what shall be together is apart.
    """
    weights = _checked(count, links, unknown, apart, together)
    members = dict.fromkeys(range(count), 1)
    between: list[dict[int, float]] = [{} for _ in range(count)]  # sums beyond what unknown pairs would weigh
    for (a, b), bits in weights.items():
        between[a][b] = between[b][a] = bits - unknown
    labels, merges = list(range(count)), []

    def gain(a: int, b: int) -> float:
        return between[a][b] + unknown * members[a] * members[b]

    heap = [(-gain(a, b), a, b) for a, b in weights]
    heapq.heapify(heap)
    while heap and heap[0][0] < 0:
        bits, a, b = heapq.heappop(heap)
        # What was merged since, or has another sum by now, stands in the heap anew.
        if a not in members or b not in members or -bits != gain(a, b):
            continue
        merges.append(Merge(a, b, -bits))
        labels[b] = a
        members[a] += members.pop(b)
        absorb(between, a, b)
        for other in between[a]:
            heapq.heappush(heap, (-gain(a, other), min(a, other), max(a, other)))
    found = closure(count, ((merge.first, merge.second) for merge in merges))
    for a, b in together:
        if found[a] != found[b]:
            raise ValueError(f"what is together cannot be apart, over others too; got together {a} and {b}")
    return Clusters(found, merges)


def absorb(between: list[dict[int, float]], a: int, b: int) -> None:
    """Make cluster b a part of cluster a: their sums with every other cluster are added up."""
    for other, extra in between[b].items():
        del between[other][b]
        if other != a:
            between[a][other] = between[other][a] = between[a].get(other, 0.0) + extra
    between[b] = {}


def _checked(
    count: int, links: dict[Pair, float], unknown: float, apart: Iterable[Pair], together: Iterable[Pair]
) -> dict[Pair, float]:
    """Return all weights, with what somebody has said in place of what was computed."""
    if unknown > 0:
        raise ValueError(f"unknown must be at most 0: not having looked speaks for nothing; got {unknown}")
    weights = dict(links)
    for pairs, bits in ((together, TOGETHER), (apart, APART)):
        for a, b in pairs:
            pair = (min(a, b), max(a, b))
            if bits < 0 and weights.get(pair) == TOGETHER:
                raise ValueError(f"a pair cannot be together and apart; got {pair}")
            weights[pair] = bits
    for pair in weights:
        if not 0 <= pair[0] < pair[1] < count:
            raise ValueError(f"a pair must be two numbers below {count}, the smaller first; got {pair}")
    return weights


def pivot(count: int, alike: Iterable[Pair], generator: torch.Generator) -> list[int]:
    """Return the clusters of the pivot rule: a random record takes all free ones that look like it, and so on.

    Where each pair is worth 1 or -1, the expected number of pairs on the wrong side is at most 3 times the least
    possible (Ailon, Charikar & Newman 2008).
    """
    neighbours: list[set[int]] = [set() for _ in range(count)]
    for a, b in alike:
        neighbours[a].add(b)
        neighbours[b].add(a)
    owner = [-1] * count
    for record in torch.randperm(count, generator=generator).tolist():
        if owner[record] < 0:
            cluster = [record, *(other for other in sorted(neighbours[record]) if owner[other] < 0)]
            for member in cluster:
                owner[member] = min(cluster)
    return owner


def within(labels: Sequence[int], links: dict[Pair, float], unknown: float = 0.0) -> float:
    """Return the sum of the weights of all pairs that share a cluster, which correlation clustering makes large."""
    sizes = torch.tensor(labels).unique(return_counts=True)[1]
    pairs = int((sizes * (sizes - 1) // 2).sum())
    inside = [bits - unknown for (a, b), bits in links.items() if labels[a] == labels[b]]
    return math.fsum(inside) + unknown * pairs


def best_clusters(count: int, links: dict[Pair, float], unknown: float = 0.0) -> list[int]:
    """Return the clustering with the largest sum within, by trying all of them.

    Raises:
        ValueError: more than nine records (21,147 clusterings).
    """
    if count > 9:
        raise ValueError(f"all clusterings are tried; give at most 9 records, got {count}")
    clusterings = [[]]
    for record in range(count):
        clusterings = [[*labels, label] for labels in clusterings for label in sorted({*labels, record})]
    return max(clusterings, key=lambda labels: within(labels, links, unknown))
