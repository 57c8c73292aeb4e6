"""Vectors in cells, which can be added, replaced and removed, and whose centres can be found anew (notes/13)."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from knowledge.vector_index import Found, Numbers, VectorIndex, Vectors, faiss, stacked


class Cells(VectorIndex):
    """Looks into the cells with the nearest centres (IVF). The numbers are those of the cells themselves.

    faiss's `IDMap,IVF...` keeps a second table of numbers, which does not follow when vectors are removed.

    Args:
        cells: how many there are.
        probed: how many of them a search looks into.
        seed: of the k-means that finds the centres.
    """

    kind = "cells"

    def __init__(self, features: int, model: str, *, cells: int = 16, probed: int = 4, seed: int = 0) -> None:
        super().__init__(features, model)
        self.cells, self.probed, self.seed = cells, probed, seed
        self.index: Any = None
        self.known: set[int] = set()

    def train(self, vectors: Vectors) -> None:
        """Find centres for these vectors; what the index holds moves to the cells of the new centres.

        Raises:
            ValueError: fewer vectors than cells.
        """
        if len(vectors) < self.cells:
            raise ValueError(f"{self.cells} cells need as many vectors to be trained on; got {len(vectors)}")
        numbers = self.numbers()
        held = self.vectors(numbers)
        # Of length 1, centres are compared as vectors are. A quantizer that Python holds is freed with the index.
        index = faiss.IndexIVFFlat(
            faiss.IndexFlatIP(self.features), self.features, self.cells, faiss.METRIC_INNER_PRODUCT
        )
        index.cp.seed, index.cp.spherical, index.cp.min_points_per_centroid = 1 + self.seed, True, 1
        index.train(np.ascontiguousarray(vectors, np.float32))
        index.set_direct_map_type(faiss.DirectMap.Hashtable)  # number -> place: for `vectors`, and to remove by number
        index.nprobe, self.index = self.probed, index
        if len(numbers):
            index.add_with_ids(held, numbers)

    def numbers(self) -> Numbers:
        return np.array(sorted(self.known), np.int64)

    def vectors(self, numbers: Iterable[int] | Numbers) -> Vectors:
        return stacked([self._trained().reconstruct(int(number)) for number in numbers], self.features)

    def imbalance(self) -> float:
        """Return cells * sum of squares of their shares: 1 if all are equally full, `cells` if one has everything."""
        return self._trained().invlists.imbalance_factor()

    def _trained(self) -> Any:
        if self.index is None:
            raise ValueError("cells have no centres yet: call train with vectors first")
        return self.index

    def _add(self, numbers: Numbers, vectors: Vectors) -> None:
        self._trained().add_with_ids(vectors, numbers)
        self.known.update(numbers.tolist())

    def _remove(self, numbers: Numbers) -> int:
        self.known.difference_update(numbers.tolist())
        # With this selector faiss looks places up in the table; the usual one would look at every vector.
        return self._trained().remove_ids(faiss.IDSelectorArray(numbers)) if len(numbers) else 0

    def _search(self, queries: Vectors, count: int) -> Found:
        return self._trained().search(queries, count)
