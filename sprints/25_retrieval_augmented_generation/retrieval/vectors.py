"""Nearest vectors: by looking at all of them, or only at those in a few cells (Jégou et al. 2011, faiss's IVF).

Every index here finds by squared distance, as faiss's do. For vectors of length 1 that is the order of cosines too,
because |x - q|^2 = 2 - 2 x·q.
"""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

Vectors = Float[np.ndarray, "vectors features"]
Centroids = Float[np.ndarray, "centroids features"]
Queries = Float[np.ndarray, "queries features"]
Found = tuple[Float[np.ndarray, "queries count"], Int[np.ndarray, "queries count"]]
AT_ONCE = 1 << 22  # distances that are held at the same time


@runtime_checkable
class Index(Protocol):
    """Finds the vectors nearest to each query."""

    def search(self, queries: Queries, count: int) -> Found:
        """Return squared distances and numbers of the nearest, nearest first; infinity and -1 where there is none."""
        ...


def squared_distances(
    queries: Queries, vectors: Vectors, squares: Float[np.ndarray, "vectors"] | None = None
) -> Float[np.ndarray, "queries vectors"]:
    """Return |q - x|^2 for all pairs, as |q|^2 - 2 q·x + |x|^2, which is one product of matrices.

    Args:
        queries: q.
        vectors: x.
        squares: |x|^2, where they are known.
    """
    if squares is None:
        squares = (vectors**2).sum(axis=1)
    square = (queries**2).sum(axis=1)[:, None] - 2 * (queries @ vectors.T) + squares
    return np.maximum(square, 0)  # rounding can make it a little negative


def nearest(
    distances: Float[np.ndarray, "candidates"], count: int, numbers: Int[np.ndarray, "candidates"] | None = None
) -> tuple[Float[np.ndarray, "count"], Int[np.ndarray, "count"]]:
    """Return the `count` smallest distances and their numbers, in order; equal distances by number.

    Args:
        distances: of candidates.
        count: how many; what is missing becomes infinity and -1.
        numbers: of the candidates (default: 0, 1, 2, ...).
    """
    chosen = np.arange(len(distances))
    if count < len(distances):  # sort only what can be among the first; all that equal the last one can
        chosen = np.flatnonzero(distances <= np.partition(distances, count - 1)[count - 1])
    named = chosen if numbers is None else numbers[chosen]
    order = np.lexsort((named, distances[chosen]))[:count]
    missing = count - len(order)
    best = np.concatenate([distances[chosen[order]], np.full(missing, np.inf, distances.dtype)])
    return best, np.concatenate([named[order], np.full(missing, -1)])


def _check(features: int, queries: Queries, count: int) -> None:
    if queries.shape[1] != features or count < 1:
        raise ValueError(
            f"a search needs queries of {features} features and a count of at least 1; "
            f"got {queries.shape[1]} features and a count of {count}"
        )


class Flat:
    """Looks at every vector: exact, and the measure of every other index."""

    def __init__(self, vectors: Vectors) -> None:
        self.vectors, self.squares = vectors, (vectors**2).sum(axis=1)

    def search(self, queries: Queries, count: int) -> Found:
        """Return squared distances and numbers, each (queries, count); see `Index`."""
        _check(self.vectors.shape[1], queries, count)
        rows = max(1, AT_ONCE // max(1, len(self.vectors)))
        parts = [
            nearest(distances, count)
            for start in range(0, len(queries), rows)
            for distances in squared_distances(queries[start : start + rows], self.vectors, self.squares)
        ]
        return np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts])


def assign(vectors: Vectors, centroids: Centroids) -> tuple[Float[np.ndarray, "vectors"], Int[np.ndarray, "vectors"]]:
    """Return for each vector the squared distance to its nearest centroid, and that one's number."""
    rows = max(1, AT_ONCE // len(centroids))
    parts = [squared_distances(vectors[start : start + rows], centroids) for start in range(0, len(vectors), rows)]
    numbers = np.concatenate([part.argmin(axis=1) for part in parts])
    return np.concatenate([part.min(axis=1) for part in parts]), numbers


def k_means(vectors: Vectors, cells: int, rounds: int, generator: np.random.Generator) -> Centroids:
    """Return centroids by Lloyd's rounds: vectors go to their nearest centroid, centroids to the mean of their vectors.

    A centroid that no vector is nearest to moves to the vector that is farthest from its own.

    Args:
        vectors: at least as many as cells.
        cells: how many centroids.
        rounds: how often both steps are done.
        generator: draws the first centroids among the vectors.
    """
    if not 1 <= cells <= len(vectors):
        raise ValueError(f"there can be 1 to {len(vectors)} cells, one for each vector; got {cells}")
    centroids = vectors[generator.choice(len(vectors), cells, replace=False)].astype(vectors.dtype)
    for _ in range(rounds):
        distances, cell = assign(vectors, centroids)
        counts = np.bincount(cell, minlength=cells)
        order = np.argsort(cell, kind="stable")
        filled = np.flatnonzero(counts)
        sums = np.add.reduceat(vectors[order], (counts.cumsum() - counts)[filled], axis=0, dtype=np.float64)
        centroids[filled] = sums / counts[filled, None]
        empty = np.flatnonzero(counts == 0)
        centroids[empty] = vectors[np.argsort(-distances, kind="stable")[: len(empty)]]
    return centroids


class Cells:
    """Vectors in the cells of centroids; a search looks only into the cells nearest to the query (IVF).

    Args:
        vectors: to search in.
        centroids: of the cells, for example by `k_means`.
        probed: how many cells a search looks into.
    """

    def __init__(self, vectors: Vectors, centroids: Centroids, probed: int = 1) -> None:
        self.vectors, self.centroids, self.probed = vectors, centroids, probed
        self.cell = assign(vectors, centroids)[1]  # of each vector
        self.members = np.argsort(self.cell, kind="stable")  # numbers of vectors, cell after cell
        self.starts = np.searchsorted(self.cell[self.members], np.arange(len(centroids) + 1))

    def nearest_cells(self, queries: Queries) -> Int[np.ndarray, "queries probed"]:
        """Return which cells a search looks into."""
        return Flat(self.centroids).search(queries, min(self.probed, len(self.centroids)))[1]

    def search(self, queries: Queries, count: int) -> Found:
        """Return squared distances and numbers, each (queries, count); see `Index`."""
        _check(self.vectors.shape[1], queries, count)
        found = []
        for query, cells in zip(queries, self.nearest_cells(queries), strict=True):
            candidates = np.concatenate([self.members[self.starts[cell] : self.starts[cell + 1]] for cell in cells])
            distances = squared_distances(query[None], self.vectors[candidates])[0]
            found.append(nearest(distances, count, candidates))
        return np.stack([part[0] for part in found]), np.stack([part[1] for part in found])

    def scanned(self, queries: Queries) -> float:
        """Return the mean share of all vectors that a search computes distances to."""
        sizes = np.diff(self.starts)
        return float(sizes[self.nearest_cells(queries)].sum(axis=1).mean() / len(self.vectors))

    def share_probed(self, queries: Queries, true: Int[np.ndarray, "queries count"]) -> float:
        """Return the share of the true neighbours whose cell is looked into: exactly the recall of `search`."""
        probed = self.nearest_cells(queries)  # (queries, probed)
        return float((self.cell[true][:, :, None] == probed[:, None, :]).any(axis=2).mean())


def recall(found: Int[np.ndarray, "queries count"], true: Int[np.ndarray, "queries count"]) -> float:
    """Return the mean share of the true nearest that are among those found."""
    return float((true[:, :, None] == found[:, None, :]).any(axis=2).mean())


class VectorRetriever:
    """A `Retriever` by vectors: a query is encoded and its nearest documents are found, by falling cosine.

    Args:
        encode: makes vectors of length 1, (texts, features).
        index: of the documents' vectors.
    """

    def __init__(self, encode: Callable[[list[str]], Vectors], index: Index) -> None:
        self.encode, self.index = encode, index

    def search(self, query: str, count: int) -> list[tuple[int, float]]:
        """Return numbers and cosines of the best documents."""
        distances, numbers = self.index.search(self.encode([query]), count)
        pairs = zip(numbers[0].tolist(), (1 - distances[0] / 2).tolist(), strict=True)
        return [(number, cosine) for number, cosine in pairs if number >= 0]
