"""An index of vectors that changes: vectors are put under numbers of our own, replaced and removed, in three ways.

`Flat` looks at all vectors and is the measure of the others, `Cells` (cells.py) at those of a few cells, and `Walks`
(walks.py) follows the edges of an HNSW graph. What each loses is note 8 of sprint 25; what change does to it is
notes/13_an_index_that_changes.md.
Scores are inner products: for vectors of length 1 that is the cosine.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int

from shared.training.sealed import load_sealed, save_sealed

faiss: Any = importlib.import_module("faiss")  # its annotations know less than it takes
Numbers = Int[np.ndarray, "vectors"]
Vectors = Float[np.ndarray, "vectors features"]
Found = tuple[Float[np.ndarray, "queries count"], Int[np.ndarray, "queries count"]]


class VectorIndex(ABC):
    """Vectors by number. What is common to all kinds: what is refused, and how an index is kept.

    Args:
        features: numbers of a vector.
        model: the fingerprint of what makes the vectors. Vectors of two models have nothing to say to each other.
    """

    kind: ClassVar[str]

    def __init__(self, features: int, model: str) -> None:
        self.features, self.model = features, model

    @abstractmethod
    def numbers(self) -> Numbers:
        """Return the numbers of all vectors, in ascending order."""

    @abstractmethod
    def vectors(self, numbers: Iterable[int] | Numbers) -> Vectors:
        """Return the vectors of some numbers, all of which must be there."""

    def put(self, numbers: Iterable[int] | Numbers, vectors: np.ndarray, model: str | None = None) -> None:
        """Add vectors, or replace those whose number is there already.

        Args:
            numbers: (vectors), different ones.
            vectors: (vectors, features).
            model: that made them (default: that of the index).

        Raises:
            ValueError: vectors of another model or dimension, a value that is not finite, a number that is there twice.
        """
        chosen, rows = np.fromiter(numbers, np.int64), np.ascontiguousarray(vectors, np.float32)
        if model not in (None, self.model):
            raise ValueError(f"this index holds vectors of {self.model!r}, these are of {model!r}: make a new index")
        if rows.shape != (len(chosen), self.features):
            raise ValueError(f"{len(chosen)} numbers need vectors of {self.features} features; got {rows.shape}")
        if not np.isfinite(rows).all():
            raise ValueError(f"vectors must be finite; number {chosen[~np.isfinite(rows).all(axis=1)][0]} is not")
        if len(np.unique(chosen)) < len(chosen) or (chosen < 0).any():
            raise ValueError("numbers must differ from each other and not be negative: faiss says -1 for nothing")
        if len(chosen):
            self._remove(chosen)  # faiss would keep both
            self._add(chosen, rows)

    def remove(self, numbers: Iterable[int] | Numbers) -> int:
        """Remove the vectors of some numbers, and return how many were there."""
        return self._remove(np.fromiter(numbers, np.int64))

    def search(self, queries: np.ndarray, count: int) -> Found:
        """Return scores and numbers of the best, best first: each (queries, count); minus infinity and -1 for nothing.

        Raises:
            ValueError: queries of another dimension, or a count below 1.
        """
        rows = np.ascontiguousarray(queries, np.float32)
        if rows.ndim != 2 or rows.shape[1] != self.features or count < 1:
            raise ValueError(f"a search needs (queries, {self.features}) and a count from 1; got {rows.shape}, {count}")
        scores, found = self._search(rows, count)
        return np.where(found < 0, -np.inf, scores), found

    def reconcile(self, numbers: Iterable[int] | Numbers, vectors: np.ndarray) -> tuple[int, int]:
        """Make the index hold exactly these vectors, whatever it holds; return how many were put, and removed.

        An index is derived from a store. Whenever a process was killed in between, this brings it to what is known.
        """
        chosen, rows = np.fromiter(numbers, np.int64), np.ascontiguousarray(vectors, np.float32)
        here = self.numbers()
        gone, known = np.setdiff1d(here, chosen), np.isin(chosen, here)
        new = ~known
        new[known] = (self.vectors(chosen[known]) != rows[known]).any(axis=1)
        self.remove(gone)
        self.put(chosen[new], rows[new])
        return int(new.sum()), len(gone)

    def save(self, path: Path) -> Path:
        """Write numbers and vectors, whole or not at all. The rest of an index is made of them again."""
        numbers = self.numbers()
        kept = {"kind": self.kind, "features": self.features, "model": self.model}
        tensors = {"numbers": torch.from_numpy(numbers), "vectors": torch.from_numpy(self.vectors(numbers))}
        save_sealed({**kept, **tensors}, path)
        return path

    def load(self, path: Path) -> None:
        """Take over what an index of the same features and the same model has kept, and nothing else.

        Raises:
            ValueError: it is an index of another dimension or another model, or no index.
        """
        content = load_sealed(path)
        if not isinstance(content, dict) or not {"features", "model", "numbers", "vectors"} <= set(content):
            raise ValueError(f"{path} holds no index of vectors")
        for what in ("features", "model"):
            if content[what] != getattr(self, what):
                raise ValueError(
                    f"{path} is an index of {what} {content[what]!r}, and {getattr(self, what)!r} is needed: "
                    "make the vectors anew"
                )
        self.reconcile(content["numbers"].tolist(), content["vectors"].numpy())

    @abstractmethod
    def _add(self, numbers: Numbers, vectors: Vectors) -> None: ...

    @abstractmethod
    def _remove(self, numbers: Numbers) -> int: ...

    @abstractmethod
    def _search(self, queries: Vectors, count: int) -> Found: ...


class Flat(VectorIndex):
    """Looks at all vectors: exact."""

    kind = "flat"

    def __init__(self, features: int, model: str) -> None:
        super().__init__(features, model)
        self.index = faiss.IndexIDMap2(faiss.IndexFlatIP(features))

    def numbers(self) -> Numbers:
        return np.sort(faiss.vector_to_array(self.index.id_map))

    def vectors(self, numbers: Iterable[int] | Numbers) -> Vectors:
        return stacked([self.index.reconstruct(int(number)) for number in numbers], self.features)

    def _add(self, numbers: Numbers, vectors: Vectors) -> None:
        self.index.add_with_ids(vectors, numbers)

    def _remove(self, numbers: Numbers) -> int:
        return self.index.remove_ids(numbers)

    def _search(self, queries: Vectors, count: int) -> Found:
        return self.index.search(queries, count)


def stacked(rows: list[np.ndarray], features: int) -> Vectors:
    """Return vectors as rows, of none too."""
    return np.stack(rows) if rows else np.empty((0, features), np.float32)
