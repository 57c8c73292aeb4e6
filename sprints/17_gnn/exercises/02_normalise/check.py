"""Checks of `normalised_adjacency`: beside NetworkX's normalised Laplacian, and the usual mistakes by name."""

from typing import Any

import networkx as nx
import torch
from torch import Tensor

from shared.lab.checking import expect


def by_networkx(pairs: list[tuple[int, int]], num_nodes: int) -> Tensor:
    """Return I - L, where L is the normalised Laplacian of the graph with a loop at every node."""
    graph = nx.Graph(pairs)
    graph.add_nodes_from(range(num_nodes))
    graph.add_edges_from((node, node) for node in range(num_nodes))
    laplacian = nx.normalized_laplacian_matrix(graph, nodelist=range(num_nodes)).toarray()
    return torch.eye(num_nodes) - torch.tensor(laplacian, dtype=torch.float32)


def mistakes(edge_index: Tensor, num_nodes: int) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    adjacency = torch.zeros(num_nodes, num_nodes)
    adjacency[edge_index[1], edge_index[0]] = 1
    loops = adjacency + torch.eye(num_nodes)
    before, after = adjacency.sum(dim=1), loops.sum(dim=1)

    def both(matrix: Tensor, degrees: Tensor) -> Tensor:
        root = degrees.rsqrt()
        return root[:, None] * matrix * root

    return {
        "The loops are missing.": both(adjacency, before),
        "The loops are missing; a node without an edge must keep itself.": both(adjacency, before).nan_to_num(posinf=0),
        "The degrees are counted before the loops are added.": both(loops, before),
        "The degrees are counted before the loops are added, and a node without an edge is lost.": both(
            loops, before.clamp(min=1)
        ),
        "Each row is divided by its degree: that is a mean. Divide by the roots of both degrees.": loops
        / after[:, None],
        "Each column is divided by its degree. Divide by the roots of both degrees.": loops / after,
        "The roots are missing: it is divided by both degrees.": both(loops, after**2),
        "It is multiplied by the roots; it must be divided by them.": after.sqrt()[:, None] * loops * after.sqrt(),
        "Only the rows are divided by the root of their degree; the columns are not.": loops * after.rsqrt()[:, None],
        "It is divided by nothing.": loops,
    }


def compare(learner: Any, pairs: list[tuple[int, int]], num_nodes: int) -> None:
    both = pairs + [(target, source) for source, target in pairs]
    edge_index = torch.tensor(both, dtype=torch.long).reshape(-1, 2).T.contiguous()
    given = {"edge_index": edge_index, "num_nodes": num_nodes}
    expect(learner.normalised_adjacency, given, by_networkx(pairs, num_nodes), mistakes(edge_index, num_nodes))


def check_two_nodes(learner: Any) -> None:
    """Two nodes that are joined: four times one half."""
    compare(learner, [(0, 1)], 2)


def check_four_nodes(learner: Any) -> None:
    """The triangle with a tail of note 2."""
    compare(learner, [(0, 1), (0, 2), (1, 2), (2, 3)], 4)


def check_a_node_without_an_edge(learner: Any) -> None:
    """Node 2 has no edge: it keeps what it holds."""
    compare(learner, [(0, 1)], 3)


def check_a_star(learner: Any) -> None:
    """One node with four neighbours, which have nobody else."""
    compare(learner, [(0, node) for node in range(1, 5)], 5)


def check_no_edge(learner: Any) -> None:
    """No edge at all."""
    compare(learner, [], 2)
