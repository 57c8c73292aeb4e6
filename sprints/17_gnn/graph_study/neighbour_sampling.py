"""Mini-batches of a large graph: some nodes, a few neighbours of each, a few of theirs (Hamilton et al. 2017).

Theory: notes/14_nodes_that_come_later.md
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from shared.graph.graphs import Graph


class SampledGraph(NamedTuple):
    """A part of a graph, whose nodes are numbered anew: first those that were asked for."""

    graph: Graph
    nodes: Tensor  # (num_nodes), their numbers in the whole graph
    edges: Tensor  # (num_edges), places in the whole graph's edge_index


class NeighbourSampler:
    """Draws parts of a graph; edges are sorted by their target once, so that a draw costs what it returns.

    Args:
        graph: the whole graph.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        target = graph.edge_index[1]
        self.by_target = target.argsort(stable=True)
        counts = torch.bincount(target, minlength=graph.num_nodes)
        self.ends = counts.cumsum(0).tolist()
        self.counts = counts.tolist()

    def edges_into(self, node: int, most: int, generator: torch.Generator) -> Tensor:
        """Return places of at most so many edges that end at a node, drawn without putting back."""
        edges = self.by_target[self.ends[node] - self.counts[node] : self.ends[node]]
        return edges if len(edges) <= most else edges[torch.randperm(len(edges), generator=generator)[:most]]

    def draw(self, nodes: Tensor, fanouts: Sequence[int], generator: torch.Generator) -> SampledGraph:
        """Return some nodes with at most `fanouts[0]` neighbours each, `fanouts[1]` of those, and so on.

        Args:
            nodes: (nodes), different ones.
            fanouts: one for each layer of the network that will read the part.
            generator: draws neighbours.
        """
        number_of = {node: number for number, node in enumerate(nodes.tolist())}
        frontier, taken = list(number_of), []
        for most in fanouts:
            drawn = [self.edges_into(node, most, generator) for node in frontier]
            edges = torch.cat(drawn) if drawn else self.by_target[:0]
            taken.append(edges)
            frontier = []
            for node in self.graph.edge_index[0, edges].tolist():
                if node not in number_of:
                    number_of[node] = len(number_of)
                    frontier.append(node)
        edges = torch.cat(taken)
        numbered = [[number_of[node] for node in row] for row in self.graph.edge_index[:, edges].tolist()]
        edge_index = torch.tensor(numbered, dtype=torch.long).reshape(2, -1)
        return SampledGraph(Graph(edge_index, len(number_of)), torch.tensor(list(number_of)), edges)
