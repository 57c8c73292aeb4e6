"""Checks of `receive`: beside a product with the adjacency matrix, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def adjacency(edge_index: Tensor, num_nodes: int) -> Tensor:
    """Return how many edges go to each node (rows) from each node (columns)."""
    matrix = torch.zeros(num_nodes, num_nodes)
    for source, target in edge_index.T.tolist():
        matrix[target, source] += 1
    return matrix


def mistakes(features: Tensor, edge_index: Tensor) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    matrix = adjacency(edge_index, len(features))
    source, target = edge_index
    last = torch.zeros_like(features)
    for one, other in zip(source.tolist(), target.tolist(), strict=True):
        last[other] = features[one]
    return {
        "Sources and targets are exchanged: a message goes from the first row to the second.": matrix.T @ features,
        "Only one message of each target is kept. Add them up, `out[target] = ...` overwrites.": last,
        "It is the mean of the messages; it must be their sum.": matrix
        @ features
        / matrix.sum(dim=1, keepdim=True).clamp(min=1),
        "Each node also receives what it holds itself; only sources of its edges count.": matrix @ features + features,
        "Each node receives its own features, once for each edge: the message is what the source holds.": matrix.sum(
            dim=1, keepdim=True
        )
        * features,
        "An edge that is listed twice counts twice.": (matrix > 0).float() @ features,
    }


def compare(learner: Any, features: Tensor, pairs: list[tuple[int, int]]) -> None:
    edge_index = torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T.contiguous()
    expected = adjacency(edge_index, len(features)) @ features
    given = {"features": features, "edge_index": edge_index}
    expect(learner.receive, given, expected, mistakes(features, edge_index))


def check_one_edge(learner: Any) -> None:
    """One edge, from node 0 to node 1: exactly one node receives something."""
    compare(learner, torch.tensor([[5.0], [7.0]]), [(0, 1)])


def check_four_nodes(learner: Any) -> None:
    """The triangle with a tail of note 1, both directions of each line."""
    lines = [(0, 1), (0, 2), (1, 2), (2, 3)]
    compare(learner, torch.tensor([[1.0], [2], [3], [6]]), lines + [(target, source) for source, target in lines])


def check_several_features(learner: Any) -> None:
    """Two features, and directions that matter."""
    compare(learner, torch.tensor([[1.0, 0], [0, 2], [3, 1]]), [(0, 2), (1, 2), (2, 0)])


def check_a_node_that_hears_nobody(learner: Any) -> None:
    """No edge ends at nodes 0 and 3."""
    compare(learner, torch.tensor([[1.0], [2], [4], [8]]), [(0, 1), (3, 1), (1, 2)])


def check_an_edge_twice(learner: Any) -> None:
    """The same edge is listed twice."""
    compare(learner, torch.tensor([[2.0], [3]]), [(0, 1), (0, 1), (1, 0)])


def check_no_edge(learner: Any) -> None:
    """A graph without any edge."""
    compare(learner, torch.tensor([[2.0], [3]]), [])
