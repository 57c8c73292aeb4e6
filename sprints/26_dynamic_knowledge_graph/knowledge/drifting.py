"""Vectors that come and go while what they are about moves on; for indexes that age."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from knowledge.cells import Cells
from knowledge.vector_index import Flat, VectorIndex, Vectors

SPREAD = 0.8  # how far vectors are from their topic, which is 1 from the origin


def unit(rows: np.ndarray) -> Vectors:
    """Return rows scaled to length 1."""
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


class DriftingTopics:
    """Topics that move by steps, and vectors around where they are.

    Args:
        topics: how many.
        features: of a vector.
        drift: length of a step; in one step out of four, at random, it is four times as long.
        seed: of all that is drawn.
    """

    def __init__(self, topics: int, features: int, drift: float, seed: int) -> None:
        self.generator, self.drift = np.random.default_rng(seed), drift
        self.centres = unit(self.generator.normal(size=(topics, features)))

    def move(self) -> None:
        """Move every topic by one step in a direction of its own."""
        length = self.drift * (4 if self.generator.random() < 0.25 else 1)
        self.centres = unit(self.centres + length * unit(self.generator.normal(size=self.centres.shape)))

    def draw(self, count: int) -> Vectors:
        """Return vectors of length 1 around topics, all of them equally often."""
        centres = self.centres[self.generator.integers(len(self.centres), size=count)]
        noise = self.generator.normal(size=centres.shape) / np.sqrt(centres.shape[1])
        return unit(centres + SPREAD * noise)


def recall(index: VectorIndex, exact: Flat, queries: Vectors, count: int = 10) -> float:
    """Return the share of the true nearest that an index finds."""
    found, true = index.search(queries, count)[1], exact.search(queries, count)[1]
    return float(np.mean([np.isin(one, other).mean() for one, other in zip(true, found, strict=True)]))


def renewed(
    world: DriftingTopics, exact: Flat, index: VectorIndex, steps: int, share: float
) -> Iterator[Int[np.ndarray, "new"]]:
    """Replace a share of the vectors of both indexes in each step, and yield the numbers of the new ones."""
    size, following = len(exact.numbers()), int(exact.numbers().max()) + 1
    for _ in range(steps):
        world.move()
        gone = world.generator.choice(exact.numbers(), int(share * size), replace=False)
        new, vectors = np.arange(following, following + len(gone)), world.draw(len(gone))
        for one in (exact, index):
            one.remove(gone)
            one.put(new, vectors)
        following += len(gone)
        yield new


def nearness(index: Cells, vectors: Vectors) -> float:
    """Return the mean cosine of vectors with the centre of their cell."""
    scores: Float[np.ndarray, "vectors 1"] = index.index.quantizer.search(vectors, 1)[0]
    return float(scores.mean())


def share_looked_at(index: Cells, queries: Vectors) -> float:
    """Return the mean share of the vectors that a search compares its query with."""
    sizes = np.array([index.index.invlists.list_size(cell) for cell in range(index.cells)])
    return float(sizes[index.index.quantizer.search(queries, index.probed)[1]].sum(axis=1).mean() / sizes.sum())
