"""Labels that travel along edges: two methods, each beside its equation and beside a library."""

import pytest
import torch
from torch_geometric.nn import LabelPropagation

from shared.graph.graphs import Graph, adjacency_matrix
from shared.graph.label_propagation import label_propagation, label_spreading
from shared.graph.message_passing import degree
from tests.shared.graph.examples import random_graph

LABELLED = torch.tensor([4, 0])
ROWS = torch.tensor([[0.0, 1.0], [1.0, 0.0]])


def test_propagation_ends_where_every_node_is_the_mean_of_its_neighbours():
    """On a path whose two ends are known, and beside a node that no label reaches."""
    path = Graph.undirected([(0, 1), (1, 2), (2, 3), (3, 4)], 6)
    numbers = label_propagation(path, torch.tensor([[4.0], [0.0]]), LABELLED)[:, 0]
    torch.testing.assert_close(numbers, torch.tensor([0.0, 1, 2, 3, 4, 2]), atol=1e-3, rtol=0)
    classes = label_propagation(path, ROWS, LABELLED)
    torch.testing.assert_close(classes[:, 1], numbers / 4)
    torch.testing.assert_close(classes.sum(dim=1), torch.ones(6))


def test_propagation_solves_its_linear_system():
    """Zhu & Ghahramani 2002, equation 5: F_u = (I - P_uu)^-1 P_ul Y, with P the walk's matrix."""
    graph = Graph.undirected([(0, 1), (1, 2), (2, 3), (3, 0), (3, 4), (4, 5), (5, 1)], 6)
    matrix = adjacency_matrix(graph).float()
    walk = matrix / matrix.sum(dim=1, keepdim=True)
    free = torch.tensor([1, 2, 3, 5])
    exact = torch.linalg.solve(torch.eye(4) - walk[free][:, free], walk[free][:, LABELLED] @ ROWS)
    result = label_propagation(graph, ROWS, LABELLED, rounds=300)
    torch.testing.assert_close(result[free], exact, atol=1e-5, rtol=1e-4)
    assert torch.equal(result[LABELLED], ROWS), "known labels are held fixed"


def test_spreading_is_what_pytorch_geometric_calls_label_propagation():
    graph = Graph.undirected([(0, 1), (1, 2), (2, 3), (3, 0), (3, 4), (4, 5), (5, 1)], 8)
    theirs = LabelPropagation(num_layers=7, alpha=0.8)
    mask = torch.zeros(8, dtype=torch.bool)
    mask[LABELLED] = True
    expected = theirs(torch.tensor([0, 1, 1, 1, 1, 1, 1, 1]), graph.edge_index, mask)
    torch.testing.assert_close(label_spreading(graph, ROWS, LABELLED, 0.8, 7), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_spreading_ends_at_its_closed_form(weighted: bool):
    """Zhou et al. 2004, section 2: F = (1 - alpha) (I - alpha S)^-1 Y."""
    graph = random_graph(1, weighted=weighted)
    root = degree(graph.edge_index[1], 12, graph.edge_weight).rsqrt().nan_to_num(posinf=0.0)
    norm = root[:, None] * adjacency_matrix(graph).float() * root
    known = torch.zeros(12, 2)
    known[LABELLED] = ROWS
    exact = 0.5 * torch.linalg.solve(torch.eye(12) - 0.5 * norm, known)
    torch.testing.assert_close(label_spreading(graph, ROWS, LABELLED, 0.5, 60), exact, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("unit", [1e-30, 1.0, 1e9])
def test_spreading_does_not_depend_on_the_unit_of_the_weights(unit: float):
    graph = random_graph(1, weighted=True)
    assert graph.edge_weight is not None
    other = Graph(graph.edge_index, 12, graph.edge_weight * unit)
    torch.testing.assert_close(label_spreading(other, ROWS, LABELLED), label_spreading(graph, ROWS, LABELLED))


def test_a_node_that_hears_nobody_sends_nothing_that_has_no_end():
    """It has no degree to divide by: 0 - > 1 -> 2."""
    graph = Graph(torch.tensor([[0, 1], [1, 2]]), 3)
    theirs = LabelPropagation(num_layers=50, alpha=0.9)
    known = torch.tensor([True, False, True])
    expected = theirs(torch.tensor([1, 0, 0]), graph.edge_index, known)
    spread = label_spreading(graph, torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.tensor([0, 2]))
    torch.testing.assert_close(spread, expected)
