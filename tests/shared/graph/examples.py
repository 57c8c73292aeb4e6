"""Graphs that tests of this folder share."""

import torch

from shared.graph.graphs import Graph


def edges(*pairs: tuple[int, int]) -> torch.Tensor:
    """Return pairs as an edge_index."""
    return torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T


def random_graph(seed: int, num_nodes: int = 12, count: int = 40, weighted: bool = False) -> Graph:
    """Return a directed graph without double edges, with a loop at node 3 and nothing at the last two nodes."""
    generator = torch.Generator().manual_seed(seed)
    both = torch.randint(num_nodes - 2, (2, count), generator=generator).unique(dim=1)
    both = torch.cat([both[:, both[0] != both[1]], torch.tensor([[3], [3]])], dim=1)
    weights = torch.rand(both.shape[1], generator=generator) + 0.1 if weighted else None
    return Graph(both, num_nodes, weights)


def dense(edge_index: torch.Tensor, num_nodes: int, edge_weight: torch.Tensor | None) -> torch.Tensor:
    """Return the matrix whose entry (target, source) is the weight of the edge."""
    matrix = torch.zeros(num_nodes, num_nodes)
    weights = torch.ones(edge_index.shape[1]) if edge_weight is None else edge_weight
    return matrix.index_put((edge_index[1], edge_index[0]), weights, accumulate=True)


def dense_of(graph: Graph) -> torch.Tensor:
    return dense(graph.edge_index, graph.num_nodes, graph.edge_weight)
