"""Graphs, and several graphs as one.

An edge carries a message from its source to its target. Where an edge has no direction, it is stored in both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from shared.graph.message_passing import add_self_loops, gcn_norm


@dataclass(frozen=True, eq=False)
class Graph:
    """The edges of a graph, or of several graphs that lie side by side as one.

    Args:
        edge_index: (2, num_edges), the sources of messages above their targets.
        num_nodes: how many nodes there are, numbered from 0; nodes without an edge count too.
        edge_weight: (num_edges), None if each edge weighs 1.
        batch: (num_nodes), which of several graphs a node belongs to (default: all to number 0).
        num_graphs: how many graphs there are.

    Raises:
        ValueError: no node, an edge to a node that does not exist, a weight or a batch that does not fit.
    """

    edge_index: Int[Tensor, "2 num_edges"]
    num_nodes: int
    edge_weight: Float[Tensor, " num_edges"] | None = None
    # Never None once the graph is made.
    batch: Int[Tensor, " num_nodes"] = None  # ty: ignore[invalid-assignment]
    num_graphs: int = 1

    def __post_init__(self) -> None:
        if self.num_nodes < 1:
            raise ValueError(f"a graph needs at least one node, got {self.num_nodes}")
        edge_index, edge_weight = self.edge_index, self.edge_weight
        if edge_index.dim() != 2 or edge_index.shape[0] != 2 or edge_index.dtype != torch.long:
            raise ValueError(
                f"edge_index must be a tensor of int64 with two rows, sources and targets; got "
                f"{tuple(edge_index.shape)} of {edge_index.dtype}"
            )
        outside = ((edge_index < 0) | (edge_index >= self.num_nodes)).any(dim=0)
        if outside.any():
            edge = int(outside.nonzero()[0])
            raise ValueError(
                f"edges must join nodes from 0 to {self.num_nodes - 1}; edge {edge} goes from {edge_index[0, edge]} to "
                f"{edge_index[1, edge]}"
            )
        if edge_weight is not None and edge_weight.shape != edge_index.shape[1:]:
            raise ValueError(
                f"edge_weight must be one number for each of {self.num_edges} edges, got {tuple(edge_weight.shape)}"
            )
        if edge_weight is not None and not (edge_weight.isfinite() & (edge_weight >= 0)).all():
            raise ValueError("edge_weight must be finite and not negative: the root of a negative degree is no number")
        if self.batch is None:
            object.__setattr__(self, "batch", edge_index.new_zeros(self.num_nodes))
        batch = self.batch
        if batch.shape != (self.num_nodes,) or batch.min() < 0 or batch.max() >= self.num_graphs:
            raise ValueError(f"batch must give each of {self.num_nodes} nodes a graph from 0 to {self.num_graphs - 1}")

    @classmethod
    def undirected(
        cls, pairs: Sequence[tuple[int, int]] | Tensor, num_nodes: int, edge_weight: Tensor | None = None
    ) -> "Graph":
        """Return the graph in which each pair is joined in both directions (a pair of equals, a loop, in one)."""
        edge_index = torch.as_tensor(pairs, dtype=torch.long).reshape(-1, 2).T
        back = edge_index[0] != edge_index[1]
        both = torch.cat([edge_index, edge_index[:, back].flip(0)], dim=1)
        return cls(both, num_nodes, None if edge_weight is None else torch.cat([edge_weight, edge_weight[back]]))

    @property
    def num_edges(self) -> int:
        return self.edge_index.shape[1]

    @cached_property
    def with_self_loops(self) -> "Graph":
        """The graph after `add_self_loops`, computed once."""
        edge_index, edge_weight = add_self_loops(self.edge_index, self.num_nodes, self.edge_weight)
        return Graph(edge_index, self.num_nodes, edge_weight, self.batch, self.num_graphs)

    @cached_property
    def gcn_normalised(self) -> "Graph":
        """The graph after `gcn_norm`, computed once: layers and training steps ask for it again and again."""
        edge_index, edge_weight = gcn_norm(self.edge_index, self.num_nodes, self.edge_weight)
        return Graph(edge_index, self.num_nodes, edge_weight, self.batch, self.num_graphs)

    def to(self, device: torch.device | str) -> "Graph":
        """Return the graph on a device."""
        edge_weight = None if self.edge_weight is None else self.edge_weight.to(device)
        return Graph(self.edge_index.to(device), self.num_nodes, edge_weight, self.batch.to(device), self.num_graphs)


def batch_graphs(graphs: Sequence[Graph]) -> Graph:
    """Return graphs as one, side by side and without an edge between them; their nodes follow each other.

    A sum over neighbours never crosses from one to another, so a layer computes for all what it would for each.

    Raises:
        ValueError: no graph, or some with weights and some without.
    """
    if not graphs:
        raise ValueError("a batch needs at least one graph")
    weighted = {graph.edge_weight is not None for graph in graphs}
    if len(weighted) > 1:
        raise ValueError("either all graphs of a batch have weights or none: give the others weights of 1")
    num_nodes = torch.tensor([graph.num_nodes for graph in graphs])
    first_nodes = (num_nodes.cumsum(0) - num_nodes).tolist()
    num_graphs = torch.tensor([graph.num_graphs for graph in graphs])
    first_graphs = (num_graphs.cumsum(0) - num_graphs).tolist()
    return Graph(
        torch.cat([graph.edge_index + first for graph, first in zip(graphs, first_nodes, strict=True)], dim=1),
        int(num_nodes.sum()),
        torch.cat([graph.edge_weight for graph in graphs if graph.edge_weight is not None])
        if weighted == {True}
        else None,
        torch.cat([graph.batch + first for graph, first in zip(graphs, first_graphs, strict=True)]),
        int(num_graphs.sum()),
    )


def without_edges(graph: Graph) -> Graph:
    """Return the graph in which no node hears another: the baseline that says what the features alone are worth."""
    return Graph(graph.edge_index[:, :0], graph.num_nodes, None, graph.batch, graph.num_graphs)


def adjacency_matrix(graph: Graph) -> Float[Tensor, "num_nodes num_nodes"]:
    """Return A in double precision: A[target, source] is the weight of the edge, so that A H sums over neighbours."""
    source, target = graph.edge_index
    edge_weight = torch.ones_like(source) if graph.edge_weight is None else graph.edge_weight
    empty = torch.zeros(graph.num_nodes, graph.num_nodes, dtype=torch.double, device=source.device)
    return empty.index_put((target, source), edge_weight.double(), accumulate=True)


def check_features(features: Tensor, graph: Graph) -> None:
    """Refuse a feature table that does not fit its graph.

    Raises:
        ValueError: not one row for each node, or a value that is not finite.
    """
    if features.dim() != 2 or features.shape[0] != graph.num_nodes:
        raise ValueError(f"features must have one row for each of {graph.num_nodes} nodes, got {tuple(features.shape)}")
    wrong = (~features.isfinite()).nonzero()
    if len(wrong):
        node, column = wrong[0].tolist()
        raise ValueError(
            f"features must be finite; node {node} has {features[node, column].item()} in column {column}, "
            f"{len(wrong)} such values in all: fill them in or drop the column"
        )
