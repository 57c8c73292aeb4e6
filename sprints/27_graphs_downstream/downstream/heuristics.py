"""Scores for pairs of nodes that might be linked, from the graph alone; nothing is trained.

All take an undirected graph without loops and pairs, (pairs, 2), and return a score for each: more is likelier. They
are networkx's (`adamic_adar_index`, `resource_allocation_index`, `pagerank`); Liben-Nowell & Kleinberg (2007), section
3.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float64, Int
from torch import Tensor

from shared.graph.graphs import Graph, adjacency_matrix

Pairs = Int[Tensor, "pairs 2"]
Scores = Float64[Tensor, "pairs"]


def checked_adjacency(graph: Graph) -> Float64[Tensor, "nodes nodes"]:
    """Return the adjacency matrix, 1 where there is an edge.

    Raises:
        ValueError: an edge goes in one direction only, or joins a node to itself: a loop would make a node its own
            neighbour, and each common neighbour of it and another node would count once more.
    """
    adjacency = (adjacency_matrix(graph) > 0).double()
    if not torch.equal(adjacency, adjacency.T):
        raise ValueError("scores of pairs need an undirected graph: give each edge in both directions")
    if adjacency.diagonal().any():
        node = int(adjacency.diagonal().nonzero()[0])
        raise ValueError(
            f"scores of pairs need a graph without loops; node {node} is joined to itself: remove its loop"
        )
    return adjacency


def _of_common(adjacency: Tensor, pairs: Pairs, worth: Float64[Tensor, "nodes"]) -> Scores:
    """Return for each pair the sum over its common neighbours of what each is worth."""
    first, second = adjacency[pairs[:, 0]], adjacency[pairs[:, 1]]
    return (first * second) @ worth


def common_neighbours(graph: Graph, pairs: Pairs) -> Scores:
    """Return how many neighbours both have."""
    adjacency = checked_adjacency(graph)
    return _of_common(adjacency, pairs, torch.ones(len(adjacency), dtype=torch.float64))


def adamic_adar(graph: Graph, pairs: Pairs) -> Scores:
    """Return the sum of 1 / log(degree) over common neighbours (Adamic & Adar 2003): a popular one says less.

    A common neighbour of two different nodes has a degree of at least 2, so the logarithm is never 0. The other nodes,
    which do not count, get 0.
    """
    adjacency = checked_adjacency(graph)
    degrees = adjacency.sum(dim=1)
    return _of_common(adjacency, pairs, torch.where(degrees > 1, 1 / degrees.clamp(min=2).log(), 0.0))


def resource_allocation(graph: Graph, pairs: Pairs) -> Scores:
    """Return the sum of 1 / degree over common neighbours (Zhou et al. 2009)."""
    adjacency = checked_adjacency(graph)
    return _of_common(adjacency, pairs, 1 / adjacency.sum(dim=1).clamp(min=1))


def preferential_attachment(graph: Graph, pairs: Pairs) -> Scores:
    """Return the product of both degrees, which knows nothing of the pair: the baseline of every other score."""
    degrees = checked_adjacency(graph).sum(dim=1)
    return degrees[pairs[:, 0]] * degrees[pairs[:, 1]]


def katz(graph: Graph, pairs: Pairs, beta: float = 0.005) -> Scores:
    """Return the number of walks between both, each of length l worth beta^l (Katz 1953): (I - beta A)^-1 - I.

    Raises:
        ValueError: beta is not below 1 / the largest eigenvalue, so that the sum has no limit.
    """
    adjacency = checked_adjacency(graph)
    largest = float(torch.linalg.eigvalsh(adjacency)[-1])
    if not 0 < beta * largest < 1:
        raise ValueError(
            f"beta must be above 0 and below 1 / {largest:.4g} = {1 / max(largest, 1e-12):.4g}, the largest eigenvalue "
            f"of this graph, or longer walks count for more and more; got {beta}"
        )
    identity = torch.eye(len(adjacency), dtype=torch.float64)
    walks = torch.linalg.solve(identity - beta * adjacency, identity) - identity
    return walks[pairs[:, 0], pairs[:, 1]]


def personalised_pagerank(graph: Graph, pairs: Pairs, stay: float = 0.85) -> Scores:
    """Return how often a walker who starts at one is at the other, and the other way round, added up.

    Args:
        graph: the graph; a walker at a node without neighbours goes back to its start.
        pairs: whom to score.
        stay: probability of a further step; otherwise the walker begins anew.
    """
    adjacency = checked_adjacency(graph)
    degrees = adjacency.sum(dim=1)
    steps = adjacency / degrees.clamp(min=1)[:, None]  # row: from where
    identity = torch.eye(len(adjacency), dtype=torch.float64)
    # Row i: the shares of a walker who starts at i. Whoever is stuck begins anew, so a row keeps its proportions: it
    # only has to add up to 1 again.
    visits = torch.linalg.solve((identity - stay * steps).T, identity).T
    visits = visits / visits.sum(dim=1, keepdim=True)
    return visits[pairs[:, 0], pairs[:, 1]] + visits[pairs[:, 1], pairs[:, 0]]


HEURISTICS: dict[str, Callable[[Graph, Pairs], Scores]] = {
    "common neighbours": common_neighbours,
    "Adamic–Adar": adamic_adar,
    "resource allocation": resource_allocation,
    "Katz": katz,
    "personalised PageRank": personalised_pagerank,
    "product of degrees": preferential_attachment,
}
