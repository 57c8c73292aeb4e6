"""Message passing on graphs: what a node knows next is a function of what its neighbours know now (Gilmer et al. 2017).

An edge carries a message from its source to its target. Where an edge has no direction, it is stored in both. Here are
graphs, several graphs as one, and the way from edges to nodes; `shared.graph.layers` has what is learnt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Graph:
    """The edges of a graph, or of several graphs that lie side by side as one.

    Args:
        edges: (2, edges), the sources of messages above their targets.
        nodes: how many nodes there are, numbered from 0; nodes without an edge count too.
        weights: (edges), None if each edge weighs 1.
        graph_ids: (nodes), which of several graphs a node belongs to; None if there is one.
        graphs: how many graphs there are.

    Raises:
        ValueError: no node, an edge to a node that does not exist, weights or ids that do not fit.
    """

    edges: Tensor
    nodes: int
    weights: Tensor | None = None
    graph_ids: Tensor | None = None
    graphs: int = 1

    def __post_init__(self) -> None:
        if self.nodes < 1:
            raise ValueError(f"a graph needs at least one node, got {self.nodes}")
        if self.edges.dim() != 2 or self.edges.shape[0] != 2 or self.edges.dtype != torch.long:
            raise ValueError(
                f"edges must be a tensor of int64 with two rows, sources and targets; got {tuple(self.edges.shape)} of "
                f"{self.edges.dtype}"
            )
        outside = ((self.edges < 0) | (self.edges >= self.nodes)).any(dim=0)
        if outside.any():
            edge = int(outside.nonzero()[0])
            raise ValueError(
                f"edges must join nodes from 0 to {self.nodes - 1}; edge {edge} goes from {self.edges[0, edge]} to "
                f"{self.edges[1, edge]}"
            )
        if self.weights is not None and self.weights.shape != self.edges.shape[1:]:
            raise ValueError(
                f"weights must be one number for each of {self.edges.shape[1]} edges, got {tuple(self.weights.shape)}"
            )
        if self.weights is not None and not (self.weights.isfinite() & (self.weights >= 0)).all():
            raise ValueError("weights must be finite and not negative: the root of a negative degree is no number")
        ids = self.graph_ids
        if ids is not None and (ids.shape != (self.nodes,) or ids.min() < 0 or ids.max() >= self.graphs):
            raise ValueError(f"graph_ids must give each of {self.nodes} nodes a graph from 0 to {self.graphs - 1}")

    @classmethod
    def undirected(
        cls, pairs: Sequence[tuple[int, int]] | Tensor, nodes: int, weights: Tensor | None = None
    ) -> "Graph":
        """Return the graph in which each pair is joined in both directions (a pair of equals, a loop, in one)."""
        edges = torch.as_tensor(pairs, dtype=torch.long).reshape(-1, 2).T
        back = edges[0] != edges[1]
        doubled = None if weights is None else torch.cat([weights, weights[back]])
        return cls(torch.cat([edges, edges[:, back].flip(0)], dim=1), nodes, doubled)

    @property
    def sources(self) -> Tensor:
        return self.edges[0]

    @property
    def targets(self) -> Tensor:
        return self.edges[1]

    @cached_property
    def in_degrees(self) -> Tensor:
        """The sum of the weights that arrive at each node: (nodes)."""
        arriving = torch.ones(self.edges.shape[1], device=self.edges.device) if self.weights is None else self.weights
        return scatter_sum(arriving, self.targets, self.nodes)

    @cached_property
    def with_loops(self) -> "Graph":
        """The graph in which every node hears itself: a loop of weight 1 where there is none."""
        missing = torch.ones(self.nodes, dtype=torch.bool, device=self.edges.device)
        missing[self.sources[self.sources == self.targets]] = False
        loops = missing.nonzero()[:, 0].expand(2, -1)
        weights = None if self.weights is None else torch.cat([self.weights, self.weights.new_ones(loops.shape[1])])
        return Graph(torch.cat([self.edges, loops], dim=1), self.nodes, weights, self.graph_ids, self.graphs)

    @cached_property
    def normalised(self) -> "Graph":
        """The graph of D^-1/2 (A + I) D^-1/2, the normalised adjacency (Kipf & Welling 2017, equation 2).

        D holds the in-degrees after the loops were added. Divided by one degree, messages would be averaged; the root
        of both keeps the matrix symmetric where A is, with eigenvalues in (-1, 1].
        """
        full = self.with_loops
        root = full.in_degrees.rsqrt().masked_fill(full.in_degrees == 0, 0.0)
        weights = root[full.sources] * root[full.targets]
        weights = weights if full.weights is None else weights * full.weights
        return Graph(full.edges, full.nodes, weights, full.graph_ids, full.graphs)

    def to(self, device: torch.device | str) -> "Graph":
        """Return the graph on a device."""
        weights = None if self.weights is None else self.weights.to(device)
        graph_ids = None if self.graph_ids is None else self.graph_ids.to(device)
        return Graph(self.edges.to(device), self.nodes, weights, graph_ids, self.graphs)


def batch_graphs(graphs: Sequence[Graph]) -> Graph:
    """Return graphs as one, side by side and without an edge between them; their nodes follow each other.

    A sum over neighbours never crosses from one to another, so a layer computes for all what it would for each.

    Raises:
        ValueError: no graph, or some with weights and some without.
    """
    if not graphs:
        raise ValueError("a batch needs at least one graph")
    weighted = {graph.weights is not None for graph in graphs}
    if len(weighted) > 1:
        raise ValueError("either all graphs of a batch have weights or none: give the others weights of 1")
    nodes = torch.tensor([graph.nodes for graph in graphs])
    starts = (nodes.cumsum(0) - nodes).tolist()
    counts = torch.tensor([graph.graphs for graph in graphs])
    firsts = (counts.cumsum(0) - counts).tolist()
    return Graph(
        torch.cat([graph.edges + start for graph, start in zip(graphs, starts, strict=True)], dim=1),
        int(nodes.sum()),
        torch.cat([graph.weights for graph in graphs if graph.weights is not None]) if True in weighted else None,
        torch.cat([graph_ids(graph) + first for graph, first in zip(graphs, firsts, strict=True)]),
        int(counts.sum()),
    )


def graph_ids(graph: Graph) -> Int[Tensor, " nodes"]:
    """Return which graph of a batch each node belongs to."""
    if graph.graph_ids is not None:
        return graph.graph_ids
    return torch.zeros(graph.nodes, dtype=torch.long, device=graph.edges.device)


def check_features(features: Tensor, graph: Graph) -> None:
    """Refuse a feature table that does not fit its graph.

    Raises:
        ValueError: not one row for each node, or a value that is not finite.
    """
    if features.dim() != 2 or features.shape[0] != graph.nodes:
        raise ValueError(f"features must have one row for each of {graph.nodes} nodes, got {tuple(features.shape)}")
    wrong = (~features.isfinite()).nonzero()
    if len(wrong):
        node, column = wrong[0].tolist()
        raise ValueError(
            f"features must be finite; node {node} has {features[node, column].item()} in column {column}, "
            f"{len(wrong)} such values in all: fill them in or drop the column"
        )


# From edges to nodes


def scatter_sum(
    values: Float[Tensor, "items *features"], index: Int[Tensor, " items"], size: int
) -> Float[Tensor, "size *features"]:
    """Return for each i < size the sum of the values whose index is i; 0 where there is none."""
    return values.new_zeros(size, *values.shape[1:]).index_add(0, index, values)


def scatter_mean(
    values: Float[Tensor, "items *features"], index: Int[Tensor, " items"], size: int
) -> Float[Tensor, "size *features"]:
    """Return for each i < size the mean of the values whose index is i; 0 where there is none."""
    counts = torch.bincount(index, minlength=size).clamp(min=1).to(values.dtype)
    return scatter_sum(values, index, size) / counts.view(-1, *[1] * (values.dim() - 1))


def scatter_max(
    values: Float[Tensor, "items *features"], index: Int[Tensor, " items"], size: int
) -> Float[Tensor, "size *features"]:
    """Return for each i < size the largest of the values whose index is i; 0 where there is none."""
    expanded = index.view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    empty = values.new_zeros(size, *values.shape[1:])
    return empty.scatter_reduce(0, expanded, values, reduce="amax", include_self=False)


def scatter_softmax(
    scores: Float[Tensor, "items *features"], index: Int[Tensor, " items"], size: int
) -> Float[Tensor, "items *features"]:
    """Return exp(score) over the sum of exp(score) of all items with the same index."""
    # The largest score goes first, so that no exponential overflows; it cancels, and so does its gradient.
    exponentials = (scores - scatter_max(scores.detach(), index, size)[index]).exp()
    return exponentials / scatter_sum(exponentials, index, size)[index]


def propagate(features: Float[Tensor, "nodes features"], graph: Graph) -> Float[Tensor, "nodes features"]:
    """Return for each node the sum of what its sources hold, each times the weight of its edge: A^T H."""
    messages = features[graph.sources]
    messages = messages if graph.weights is None else messages * graph.weights[:, None]
    return scatter_sum(messages, graph.targets, graph.nodes)
