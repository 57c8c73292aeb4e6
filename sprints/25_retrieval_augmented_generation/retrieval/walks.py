"""A walk from neighbour to neighbour: the search of HNSW (Malkov & Yashunin 2018), on the graph that faiss built."""

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from retrieval.vectors import Found, Queries, Vectors

if TYPE_CHECKING:
    import faiss


@dataclass(frozen=True)
class Layers:
    """A graph in layers; each has fewer nodes than the one below it, and layer 0 has all.

    Args:
        neighbours: for each layer the numbers of each node's neighbours.
        entry: the node where a walk begins, in the highest layer.
    """

    neighbours: list[dict[int, list[int]]]
    entry: int


def layers_of(index: "faiss.IndexHNSWFlat") -> Layers:
    """Return the graph of an index of faiss: all neighbours stand in one array, layer after layer of each node."""
    import faiss

    graph: Any = index.hnsw
    flat, offsets = faiss.vector_to_array(graph.neighbors), faiss.vector_to_array(graph.offsets)
    heights, ends = faiss.vector_to_array(graph.levels), faiss.vector_to_array(graph.cum_nneighbor_per_level)
    neighbours: list[dict[int, list[int]]] = [{} for _ in range(graph.max_level + 1)]
    for node, (height, offset) in enumerate(zip(heights.tolist(), offsets.tolist()[:-1], strict=True)):
        for layer in range(height):
            places = flat[offset + ends[layer] : offset + ends[layer + 1]]
            neighbours[layer][node] = places[places >= 0].tolist()  # -1 fills up
    return Layers(neighbours, graph.entry_point)


class Walk:
    """Finds near vectors by going along edges; may miss some.

    Args:
        vectors: of the nodes.
        layers: the graph.
        width: how many of the nearest so far are remembered and walked on from (faiss's efSearch).
    """

    def __init__(self, vectors: Vectors, layers: Layers, width: int = 16) -> None:
        self.vectors, self.layers, self.width = vectors, layers, width
        self.computed = 0  # distances, in all searches together

    def search(self, queries: Queries, count: int) -> Found:
        """Return squared distances and numbers, each (queries, count)."""
        distances = np.full((len(queries), count), np.inf, np.float32)
        numbers = np.full((len(queries), count), -1)
        for row, query in enumerate(queries):
            found = self.walk(query, max(self.width, count))[:count]
            distances[row, : len(found)] = [distance for distance, _ in found]
            numbers[row, : len(found)] = [node for _, node in found]
        return distances, numbers

    def walk(self, query: Float[np.ndarray, "features"], width: int) -> list[tuple[float, int]]:
        """Return the nearest nodes that a walk finds, nearest first: down through the layers, wide only in the last."""
        start = self.layers.entry
        for layer in reversed(self.layers.neighbours[1:]):
            start = self._in_layer(layer, query, start, 1)[0][1]
        return self._in_layer(self.layers.neighbours[0], query, start, width)

    def _in_layer(
        self, neighbours: dict[int, list[int]], query: Float[np.ndarray, "features"], start: int, width: int
    ) -> list[tuple[float, int]]:
        """Return up to `width` of the nearest nodes that are found from `start` on in one layer."""
        (distance,) = self._distances(query, [start])
        seen, waiting = {start}, [(distance, start)]  # waiting: nearest first
        best = [(-distance, start)]  # the farthest first
        while waiting:
            distance, node = heapq.heappop(waiting)
            if len(best) == width and distance > -best[0][0]:
                break  # all that waits is farther than the worst of the best
            new = [neighbour for neighbour in neighbours[node] if neighbour not in seen]
            seen.update(new)
            for distance, neighbour in zip(self._distances(query, new), new, strict=True):
                if len(best) < width or distance < -best[0][0]:
                    heapq.heappush(waiting, (distance, neighbour))
                    heapq.heappush(best, (-distance, neighbour))
                    if len(best) > width:
                        heapq.heappop(best)
        return sorted((-distance, node) for distance, node in best)

    def _distances(self, query: Float[np.ndarray, "features"], nodes: list[int]) -> list[float]:
        self.computed += len(nodes)
        return ((self.vectors[nodes] - query) ** 2).sum(axis=1).tolist()
