"""Modularity: how many more edges a partition has inside its communities than chance would give it.

A partition is a list: the community of each node. Of m edges, a community holds L, and the degrees of its nodes add up
to d. Its share of the edges less the share that chance would give it is its part of

    Q = sum over communities of L / m - resolution (d / 2m)^2                       (Newman & Girvan 2004)

Theory: notes/08_finding_communities.md
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from shared.graph.graphs import Graph

Partition = list[int]


@dataclass(frozen=True)
class WeightedGraph:
    """An undirected graph as dictionaries, and the communities of one graph as nodes of the next.

    Args:
        neighbours: for each node the others that it is joined to, and the weight; both ends know of an edge.
        loops: the weight of the edges inside each node, each counted once.
    """

    neighbours: list[dict[int, float]]
    loops: list[float]

    @property
    def degrees(self) -> list[float]:
        """The weight of the ends of edges at each node; an edge inside has both of its ends there."""
        return [sum(near.values()) + 2 * loop for near, loop in zip(self.neighbours, self.loops, strict=True)]

    @classmethod
    def of(cls, graph: Graph) -> "WeightedGraph":
        """Read a graph whose edges stand in both directions.

        Raises:
            ValueError: no edge, or one without its reverse.
        """
        weights = torch.ones(graph.num_edges) if graph.edge_weight is None else graph.edge_weight
        neighbours: list[dict[int, float]] = [{} for _ in range(graph.num_nodes)]
        loops = [0.0] * graph.num_nodes
        for (source, target), weight in zip(graph.edge_index.T.tolist(), weights.tolist(), strict=True):
            if source == target:
                loops[source] += weight
            else:
                neighbours[target][source] = neighbours[target].get(source, 0.0) + weight
        for node, near in enumerate(neighbours):
            for other, weight in near.items():
                if neighbours[other].get(node) != weight:
                    raise ValueError(
                        f"communities are of undirected graphs, but the edge from {other} to {node} has no reverse of "
                        "its weight: make the graph by Graph.undirected"
                    )
        if not any(neighbours) and not any(loops):
            raise ValueError(f"modularity compares shares of edges, and these {graph.num_nodes} nodes have none")
        return cls(neighbours, loops)

    def merged(self, partition: Sequence[int]) -> "WeightedGraph":
        """Return the graph whose nodes are the communities 0, 1, ...; edges inside one become its loop."""
        neighbours: list[dict[int, float]] = [defaultdict(float) for _ in range(max(partition) + 1)]
        loops = [0.0] * len(neighbours)
        for node, near in enumerate(self.neighbours):
            own = partition[node]
            loops[own] += self.loops[node]
            for other, weight in near.items():
                if partition[other] == own:
                    loops[own] += weight / 2  # seen from both ends
                else:
                    neighbours[own][partition[other]] += weight
        return WeightedGraph([dict(near) for near in neighbours], loops)


def numbered(partition: Sequence[int]) -> Partition:
    """Return the same communities with the numbers 0, 1, ... in order of appearance."""
    number: dict[int, int] = {}
    return [number.setdefault(community, len(number)) for community in partition]


def modularity(graph: Graph | WeightedGraph, partition: Sequence[int], resolution: float = 1.0) -> float:
    """Return Q of a partition; 0 for one community of all nodes at resolution 1.

    Raises:
        ValueError: not a community for each node.
    """
    whole = graph if isinstance(graph, WeightedGraph) else WeightedGraph.of(graph)
    if len(partition) != len(whole.loops):
        raise ValueError(f"a partition gives each of {len(whole.loops)} nodes a community, got {len(partition)}")
    communities = whole.merged(numbered(partition))
    both = sum(communities.degrees)
    pairs = zip(communities.loops, communities.degrees, strict=True)
    return sum(2 * inside / both - resolution * (degree / both) ** 2 for inside, degree in pairs)


def connected_parts(graph: WeightedGraph, partition: Sequence[int]) -> Partition:
    """Return the partition with each community cut into its connected parts."""
    part = [-1] * len(partition)
    for start in range(len(partition)):
        if part[start] < 0:
            part[start], waiting = start, [start]
            while waiting:
                node = waiting.pop()
                for other in graph.neighbours[node]:
                    if part[other] < 0 and partition[other] == partition[start]:
                        part[other] = start
                        waiting.append(other)
    return numbered(part)
