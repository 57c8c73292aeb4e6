"""Mini-batches of a large graph: some nodes, a few neighbours of each, a few of theirs (Hamilton et al. 2017).

Theory: sprints/17_gnn/notes/14_nodes_that_come_later.md, and note 13 of sprint 27.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from shared.graph.graphs import Graph


class SampledGraph(NamedTuple):
    """A part of a graph, whose nodes are numbered anew: first those that were asked for, then by their distance.

    Within h steps of the asked nodes lie the first `nodes_within[h]` nodes. The first `edges_within[h]` edges are those
    that were drawn in h rounds: they end within h - 1 steps, and begin within h.
    """

    graph: Graph
    nodes: Int[Tensor, "num_nodes"]  # their numbers in the whole graph
    edges: Int[Tensor, "num_edges"]  # places in the whole graph's edge_index
    nodes_within: tuple[int, ...]  # for 0, 1, ... steps
    edges_within: tuple[int, ...]


def draw_without_putting_back(
    counts: Int[Tensor, "sets"], most: int, generator: torch.Generator
) -> Int[Tensor, "sets most"]:
    """Return for each set of items 0 to count - 1 so many different ones; every choice of them is as likely as another.

    Floyd's way (Bentley & Floyd 1987): for last = count - most to count - 1, draw one of 0 to last, and where it is
    taken already take `last`. Work and memory go by what is drawn, not by the size of the set.

    Args:
        counts: items of each set, at least `most`.
        most: items that are drawn.
        generator: draws.
    """
    chosen = counts.new_empty(len(counts), most)
    for column in range(most):
        last = counts - most + column
        drawn = (torch.rand(len(counts), generator=generator, dtype=torch.double) * (last + 1)).long()
        taken = (chosen[:, :column] == drawn[:, None]).any(dim=1)
        chosen[:, column] = torch.where(taken, last, drawn)
    return chosen


class NeighbourSampler:
    """Draws parts of a graph; edges are sorted by their target once, so that a draw costs what it returns.

    Args:
        graph: the whole graph, on the CPU.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        target = graph.edge_index[1]
        self.by_target = target.argsort(stable=True)
        self.counts = torch.bincount(target, minlength=graph.num_nodes)
        self.starts = self.counts.cumsum(0) - self.counts
        self.number_of = torch.full((graph.num_nodes,), -1)  # in the part that is drawn; -1 for all others

    def edges_into(self, nodes: Int[Tensor, "nodes"], most: int, generator: torch.Generator) -> Int[Tensor, "edges"]:
        """Return places of at most so many edges that end at each of some nodes, drawn without putting back."""
        counts, starts = self.counts[nodes], self.starts[nodes]
        few = counts <= most
        # All edges of nodes that have few: 0, 1, ... behind the start of each.
        lengths = counts[few]
        inside = torch.arange(int(lengths.sum())) - (lengths.cumsum(0) - lengths).repeat_interleave(lengths)
        places = starts[few].repeat_interleave(lengths) + inside
        if not few.all():
            drawn = starts[~few, None] + draw_without_putting_back(counts[~few], most, generator)
            places = torch.cat([places, drawn.flatten()])
        return self.by_target[places]

    def draw(self, nodes: Int[Tensor, "nodes"], fanouts: Sequence[int], generator: torch.Generator) -> SampledGraph:
        """Return some nodes with at most `fanouts[0]` neighbours each, `fanouts[1]` of those, and so on.

        Args:
            nodes: different ones.
            fanouts: one for each layer of the network that will read the part.
            generator: draws neighbours.

        Raises:
            ValueError: a node is asked for twice, or a fanout is below 0.
        """
        if min(fanouts, default=0) < 0:
            raise ValueError(f"fanouts must be 0 or more neighbours, got {tuple(fanouts)}")
        if len(nodes.unique()) < len(nodes):
            raise ValueError(f"the {len(nodes)} nodes asked for must differ: each is one row of the part")
        known, frontier, taken = nodes, nodes, [self.by_target[:0]]
        nodes_within, edges_within = [len(nodes)], [0]
        self.number_of[nodes] = torch.arange(len(nodes))
        for most in fanouts:
            taken.append(self.edges_into(frontier, most, generator))
            found = self.graph.edge_index[0, taken[-1]]
            frontier = found[self.number_of[found] < 0].unique()
            self.number_of[frontier] = torch.arange(len(known), len(known) + len(frontier))
            known = torch.cat([known, frontier])
            nodes_within.append(len(known))
            edges_within.append(edges_within[-1] + len(taken[-1]))
        edges = torch.cat(taken)
        part = Graph(self.number_of[self.graph.edge_index[:, edges]], len(known))
        self.number_of[known] = -1
        return SampledGraph(part, known, edges, tuple(nodes_within), tuple(edges_within))
