"""An HNSW graph from which vectors can be removed: they stay as ways, and are not shown (notes/13)."""

from collections.abc import Iterable

import numpy as np

from knowledge.vector_index import Found, Numbers, VectorIndex, Vectors, faiss, stacked

LINKS = 16  # edges of a node in the graph (M of the paper)


class Walks(VectorIndex):
    """Follows the edges of a graph; a removed vector is a tombstone: walks go over it, and it is not found.

    faiss numbers the nodes of an HNSW graph in the order in which they come, and refuses to remove one. So a table says
    which number stands at which place. When tombstones are more than a share of the places, the graph is built anew.

    Args:
        width: how many candidates a walk remembers (efSearch).
        most_tombstones: share of the places.
    """

    kind = "walks"

    def __init__(self, features: int, model: str, *, width: int = 64, most_tombstones: float = 0.2) -> None:
        super().__init__(features, model)
        self.width, self.most_tombstones, self.rebuilt = width, most_tombstones, 0
        self._empty()

    def _empty(self) -> None:
        self.index = faiss.IndexHNSWFlat(self.features, LINKS, faiss.METRIC_INNER_PRODUCT)
        self.place: dict[int, int] = {}  # of a number in the graph
        self.number = np.empty(0, np.int64)  # at each place; -1: a tombstone

    @property
    def tombstones(self) -> float:
        """The share of places whose vector was removed."""
        return 1 - len(self.place) / max(1, len(self.number))

    def rebuild(self) -> None:
        """Build the graph anew from the vectors that are left."""
        numbers = self.numbers()
        vectors = self.vectors(numbers)
        self._empty()
        self.rebuilt += 1
        if len(numbers):
            self._add(numbers, vectors)

    def numbers(self) -> Numbers:
        return np.array(sorted(self.place), np.int64)

    def vectors(self, numbers: Iterable[int] | Numbers) -> Vectors:
        return stacked([self.index.reconstruct(self.place[int(number)]) for number in numbers], self.features)

    def _add(self, numbers: Numbers, vectors: Vectors) -> None:
        first = len(self.number)
        self.index.add(vectors)
        self.place.update({number: first + i for i, number in enumerate(numbers.tolist())})
        self.number = np.concatenate([self.number, numbers])
        if self.tombstones > self.most_tombstones:
            self.rebuild()

    def _remove(self, numbers: Numbers) -> int:
        gone = [self.place.pop(number) for number in numbers.tolist() if number in self.place]
        self.number[gone] = -1
        return len(gone)

    def _search(self, queries: Vectors, count: int) -> Found:
        shown = np.packbits(self.number >= 0, bitorder="little")
        chosen = faiss.SearchParametersHNSW(sel=faiss.IDSelectorBitmap(shown), efSearch=max(self.width, count))
        scores, places = self.index.search(queries, count, params=chosen)
        return scores, np.append(self.number, -1)[places]  # place -1 is nothing
