"""Sums over edges, degrees, self-loops and normalisation: beside PyTorch Geometric and beside their formulas."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.nn.conv.gcn_conv import gcn_norm as gcn_norm_of_pyg
from torch_geometric.utils import add_remaining_self_loops, scatter, softmax
from torch_geometric.utils import degree as degree_of_pyg

from shared.graph.graphs import Graph
from shared.graph.message_passing import (
    add_self_loops,
    degree,
    gcn_norm,
    propagate,
    scatter_max,
    scatter_mean,
    scatter_softmax,
    scatter_sum,
)
from tests.shared.graph.examples import dense, dense_of, edges, random_graph

INDEX = torch.tensor([0, 2, 2, 5, 0, 2])


@pytest.mark.parametrize(
    ("ours", "name"), [(scatter_sum, "sum"), (scatter_mean, "mean"), (scatter_max, "max"), (scatter_softmax, None)]
)
@pytest.mark.parametrize("shape", [(6,), (6, 3), (6, 2, 3)])
def test_scattering_is_that_of_pytorch_geometric(ours, name: str | None, shape: tuple[int, ...]):
    mine = (torch.randn(shape, generator=torch.Generator().manual_seed(1)) - 3).requires_grad_()
    other = mine.detach().clone().requires_grad_()
    expected = softmax(other, INDEX, num_nodes=7) if name is None else scatter(other, INDEX, 0, 7, name)
    result = ours(mine, INDEX, 7)
    torch.testing.assert_close(result, expected)
    result.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(mine.grad, other.grad)


def test_softmax_of_large_scores_is_finite():
    weights = scatter_softmax(torch.tensor([1e4, 1e4, -1e4]), torch.tensor([0, 0, 1]), 2)
    assert weights.tolist() == [0.5, 0.5, 1.0]


@given(seed=st.integers(0, 1000), weighted=st.booleans())
def test_propagation_is_a_product_with_the_adjacency(seed: int, weighted: bool):
    graph = random_graph(seed, weighted=weighted)
    features = torch.randn(graph.num_nodes, 3, generator=torch.Generator().manual_seed(seed))
    arrived = propagate(features, graph.edge_index, graph.edge_weight)
    torch.testing.assert_close(arrived, dense_of(graph) @ features, atol=1e-5, rtol=1e-5)


# Degrees, loops and normalisation


def test_degrees_count_edges_or_sum_weights():
    graph = random_graph(0, weighted=True)
    target = graph.edge_index[1]
    torch.testing.assert_close(degree(target, 12), degree_of_pyg(target, 12))
    torch.testing.assert_close(degree(target, 12, graph.edge_weight), dense_of(graph).sum(dim=1))
    assert degree(edges((0, 1), (0, 2))[0], 3).tolist() == [2, 0, 0]


@pytest.mark.parametrize("weighted", [False, True])
def test_loops_and_normalisation_are_those_of_pytorch_geometric(weighted: bool):
    graph = random_graph(0, weighted=weighted)
    given = graph.edge_index, graph.num_nodes, graph.edge_weight
    theirs, weights = add_remaining_self_loops(graph.edge_index, graph.edge_weight, 1.0, graph.num_nodes)
    ours, our_weights = add_self_loops(*given)
    assert (our_weights is not None) == weighted
    torch.testing.assert_close(dense(ours, 12, our_weights), dense(theirs, 12, weights))
    theirs, weights = gcn_norm_of_pyg(graph.edge_index, graph.edge_weight, graph.num_nodes)
    ours, our_weights = gcn_norm(*given)
    torch.testing.assert_close(dense(ours, 12, our_weights), dense(theirs, 12, weights))


@pytest.mark.parametrize("weighted", [False, True])
def test_a_loop_given_twice_is_one_loop(weighted: bool):
    twice = edges((0, 1), (1, 1), (1, 0), (1, 1), (2, 2))
    edge_weight = torch.tensor([1.0, 7.0, 1.0, 3.0, 2.0]) if weighted else None
    once, weight_once = edges((0, 1), (1, 0), (1, 1), (2, 2)), torch.tensor([1.0, 1.0, 3.0, 2.0]) if weighted else None
    for function, theirs in ((add_self_loops, None), (gcn_norm, gcn_norm_of_pyg)):
        ours = dense(*arranged(function(twice, 4, edge_weight)))
        torch.testing.assert_close(ours, dense(*arranged(function(once, 4, weight_once))))
        if theirs is not None:
            torch.testing.assert_close(ours, dense(*arranged(theirs(twice, edge_weight, 4))))


def arranged(given: tuple[torch.Tensor, torch.Tensor | None]) -> tuple[torch.Tensor, int, torch.Tensor | None]:
    """Return edges and weights of a graph of four nodes as `dense` takes them."""
    return given[0], 4, given[1]


def test_normalisation_by_the_formula_and_its_spectrum():
    graph = Graph.undirected([(0, 1), (1, 2), (2, 0), (2, 3)], 5)
    matrix = dense_of(graph) + torch.eye(5)
    root = torch.diag(matrix.sum(1).rsqrt())
    edge_index, edge_weight = gcn_norm(graph.edge_index, graph.num_nodes)
    normalised = dense(edge_index, 5, edge_weight)
    torch.testing.assert_close(normalised, root @ matrix @ root)
    values = torch.linalg.eigvalsh(normalised)
    assert values.min() > -1
    assert values.max() == pytest.approx(1)


def test_a_node_without_a_degree_stays_finite_and_sends_nothing():
    """Node 0 has a loop of weight 0, so no other is added, and an edge to node 1."""
    edge_index, edge_weight = edges((0, 0), (0, 1)), torch.tensor([0.0, 1.0])
    ours, theirs = gcn_norm(edge_index, 2, edge_weight), gcn_norm_of_pyg(edge_index, edge_weight, 2)
    torch.testing.assert_close(dense(ours[0], 2, ours[1]), dense(theirs[0], 2, theirs[1]))
    torch.testing.assert_close(dense(ours[0], 2, ours[1]), torch.tensor([[0, 0], [0, 0.5]]))
