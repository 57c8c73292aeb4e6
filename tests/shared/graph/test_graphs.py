"""Graphs: what they refuse, normalisation, batches, and sums over edges, beside PyTorch Geometric."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.utils import add_remaining_self_loops, degree, scatter, softmax

from shared.graph.graphs import (
    Graph,
    batch_graphs,
    check_features,
    graph_ids,
    propagate,
    scatter_max,
    scatter_mean,
    scatter_softmax,
    scatter_sum,
)


def edges(*pairs: tuple[int, int]) -> torch.Tensor:
    return torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T


def random_graph(seed: int, nodes: int = 12, count: int = 40, weighted: bool = False) -> Graph:
    """Return a directed graph without double edges, with a loop at node 3 and nothing at the last two nodes."""
    generator = torch.Generator().manual_seed(seed)
    both = torch.randint(nodes - 2, (2, count), generator=generator).unique(dim=1)
    both = torch.cat([both[:, both[0] != both[1]], torch.tensor([[3], [3]])], dim=1)
    weights = torch.rand(both.shape[1], generator=generator) + 0.1 if weighted else None
    return Graph(both, nodes, weights)


def dense(graph: Graph) -> torch.Tensor:
    """Return the matrix whose entry (target, source) is the weight of the edge."""
    matrix = torch.zeros(graph.nodes, graph.nodes)
    weights = torch.ones(graph.edges.shape[1]) if graph.weights is None else graph.weights
    return matrix.index_put((graph.targets, graph.sources), weights, accumulate=True)


# What is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"edges": edges((0, 1)), "nodes": 0}, "at least one node, got 0"),
        ({"edges": edges((0, 1), (2, 3)), "nodes": 3}, "from 0 to 2; edge 1 goes from 2 to 3"),
        ({"edges": edges((0, 1), (-1, 1)), "nodes": 3}, "edge 1 goes from -1 to 1"),
        ({"edges": torch.zeros(4, dtype=torch.long), "nodes": 3}, r"two rows, sources and targets; got \(4,\)"),
        ({"edges": torch.zeros(2, 4), "nodes": 3}, "int64.*float32"),
        ({"edges": edges((0, 1)), "nodes": 2, "weights": torch.ones(2)}, r"each of 1 edges, got \(2,\)"),
        ({"edges": edges((0, 1)), "nodes": 2, "weights": torch.tensor([-1.0])}, "not negative"),
        ({"edges": edges((0, 1)), "nodes": 2, "weights": torch.tensor([float("nan")])}, "finite"),
        ({"edges": edges((0, 1)), "nodes": 2, "graph_ids": torch.tensor([0, 1])}, "a graph from 0 to 0"),
        ({"edges": edges((0, 1)), "nodes": 2, "graph_ids": torch.tensor([0])}, "each of 2 nodes"),
    ],
)
def test_wrong_graphs_are_refused(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        Graph(**arguments)


def test_wrong_features_are_refused():
    graph = Graph(edges((0, 1)), 3)
    check_features(torch.zeros(3, 2), graph)
    with pytest.raises(ValueError, match=r"each of 3 nodes, got \(2, 2\)"):
        check_features(torch.zeros(2, 2), graph)
    wrong = torch.zeros(3, 2)
    wrong[1, 1] = float("nan")
    with pytest.raises(ValueError, match="node 1 has nan in column 1, 1 such values"):
        check_features(wrong, graph)


def test_batches_refuse_nothing_and_mixtures():
    with pytest.raises(ValueError, match="at least one graph"):
        batch_graphs([])
    with pytest.raises(ValueError, match="all graphs of a batch have weights or none"):
        batch_graphs([random_graph(0), random_graph(1, weighted=True)])


# Loops and normalisation


def test_an_undirected_edge_is_there_twice_and_a_loop_once():
    graph = Graph.undirected([(0, 1), (2, 2)], 4, torch.tensor([3.0, 5.0]))
    assert sorted(zip(graph.sources.tolist(), graph.targets.tolist(), graph.weights.tolist(), strict=True)) == [
        (0, 1, 3.0),
        (1, 0, 3.0),
        (2, 2, 5.0),
    ]
    assert Graph.undirected([], 2).edges.shape == (2, 0)


@pytest.mark.parametrize("weighted", [False, True])
def test_loops_and_normalisation_are_those_of_pytorch_geometric(weighted: bool):
    graph = random_graph(0, weighted=weighted)
    theirs, weights = add_remaining_self_loops(graph.edges, graph.weights, 1.0, graph.nodes)
    ours = dense(graph.with_loops)
    torch.testing.assert_close(ours, dense(Graph(theirs, graph.nodes, weights)))
    theirs, weights = gcn_norm(graph.edges, graph.weights, graph.nodes)
    torch.testing.assert_close(dense(graph.normalised), dense(Graph(theirs, graph.nodes, weights)))
    torch.testing.assert_close(random_graph(0).in_degrees, degree(random_graph(0).targets, graph.nodes))


def test_normalisation_by_the_formula_and_its_spectrum():
    graph = Graph.undirected([(0, 1), (1, 2), (2, 0), (2, 3)], 5)
    matrix = dense(graph) + torch.eye(5)
    root = torch.diag(matrix.sum(1).rsqrt())
    torch.testing.assert_close(dense(graph.normalised), root @ matrix @ root)
    values = torch.linalg.eigvalsh(dense(graph.normalised))
    assert values.min() > -1
    assert values.max() == pytest.approx(1)


def test_a_node_that_only_a_loop_of_weight_zero_reaches_stays_finite():
    graph = Graph(edges((0, 0)), 2, torch.tensor([0.0]))
    assert graph.normalised.weights.tolist() == [0, 1]


# Several graphs as one


def test_a_batch_is_block_diagonal_and_batches_nest():
    one, two, three = (random_graph(seed, 5 + seed, 8) for seed in range(3))
    together = batch_graphs([one, two, three])
    torch.testing.assert_close(dense(together), torch.block_diag(dense(one), dense(two), dense(three)))
    assert together.graphs == 3
    assert torch.bincount(together.graph_ids).tolist() == [5, 6, 7]
    nested = batch_graphs([batch_graphs([one, two]), three])
    assert torch.equal(nested.edges, together.edges)
    assert torch.equal(nested.graph_ids, together.graph_ids)
    assert nested.graphs == 3
    weighted = batch_graphs([random_graph(0, weighted=True), random_graph(1, weighted=True)])
    assert weighted.weights.shape == weighted.edges.shape[1:]
    assert torch.equal(graph_ids(one), torch.zeros(5, dtype=torch.long))


def test_moving_keeps_everything():
    graph = batch_graphs([random_graph(0, weighted=True), random_graph(1, weighted=True)])
    moved = graph.to("cpu")
    for name in ("edges", "weights", "graph_ids"):
        assert torch.equal(getattr(moved, name), getattr(graph, name))
    assert (moved.nodes, moved.graphs) == (graph.nodes, graph.graphs)


# Sums over edges

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
    features = torch.randn(graph.nodes, 3, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(propagate(features, graph), dense(graph) @ features, atol=1e-5, rtol=1e-5)
