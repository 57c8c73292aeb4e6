"""Graphs: what they refuse, what they keep, and several as one."""

import pytest
import torch

from shared.graph.graphs import Graph, adjacency_matrix, batch_graphs, check_features, without_edges
from shared.graph.message_passing import add_self_loops, gcn_norm
from tests.shared.graph.examples import dense_of, edges, random_graph

# What is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"edge_index": edges((0, 1)), "num_nodes": 0}, "at least one node, got 0"),
        ({"edge_index": edges((0, 1), (2, 3)), "num_nodes": 3}, "from 0 to 2; edge 1 goes from 2 to 3"),
        ({"edge_index": edges((0, 1), (-1, 1)), "num_nodes": 3}, "edge 1 goes from -1 to 1"),
        (
            {"edge_index": torch.zeros(4, dtype=torch.long), "num_nodes": 3},
            r"two rows, sources and targets; got \(4,\)",
        ),
        ({"edge_index": torch.zeros(2, 4), "num_nodes": 3}, "int64.*float32"),
        ({"edge_index": edges((0, 1)), "num_nodes": 2, "edge_weight": torch.ones(2)}, r"each of 1 edges, got \(2,\)"),
        ({"edge_index": edges((0, 1)), "num_nodes": 2, "edge_weight": torch.tensor([-1.0])}, "not negative"),
        ({"edge_index": edges((0, 1)), "num_nodes": 2, "edge_weight": torch.tensor([float("nan")])}, "finite"),
        ({"edge_index": edges((0, 1)), "num_nodes": 2, "batch": torch.tensor([0, 1])}, "a graph from 0 to 0"),
        ({"edge_index": edges((0, 1)), "num_nodes": 2, "batch": torch.tensor([0])}, "each of 2 nodes"),
    ],
)
@pytest.mark.usefixtures("unchecked")
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


# One graph


def test_an_undirected_edge_is_there_twice_and_a_loop_once():
    graph = Graph.undirected([(0, 1), (2, 2)], 4, torch.tensor([3.0, 5.0]))
    assert sorted(zip(*graph.edge_index.tolist(), graph.edge_weight.tolist(), strict=True)) == [
        (0, 1, 3.0),
        (1, 0, 3.0),
        (2, 2, 5.0),
    ]
    assert Graph.undirected([], 2).edge_index.shape == (2, 0)


def test_what_is_kept_is_what_the_functions_give():
    graph = batch_graphs([random_graph(0, weighted=True), random_graph(1, weighted=True)])
    given = graph.edge_index, graph.num_nodes, graph.edge_weight
    for kept, (edge_index, edge_weight) in (
        (graph.with_self_loops, add_self_loops(*given)),
        (graph.gcn_normalised, gcn_norm(*given)),
    ):
        assert torch.equal(kept.edge_index, edge_index)
        assert torch.equal(kept.edge_weight, edge_weight)
        assert torch.equal(kept.batch, graph.batch)
        assert (kept.num_nodes, kept.num_graphs) == (graph.num_nodes, 2)
    assert graph.gcn_normalised is graph.gcn_normalised, "computed once"


def test_the_adjacency_matrix_has_targets_in_its_rows():
    graph = Graph(edges((0, 1), (0, 1), (2, 0)), 3, torch.tensor([1.0, 2.0, 5.0]))
    assert adjacency_matrix(graph).tolist() == [[0, 0, 5], [3, 0, 0], [0, 0, 0]]
    assert adjacency_matrix(Graph(edges((0, 1)), 2)).dtype == torch.double


def test_without_edges_all_else_stays():
    graph = batch_graphs([random_graph(0, weighted=True), random_graph(1, weighted=True)])
    bare = without_edges(graph)
    assert (bare.num_edges, bare.num_nodes, bare.num_graphs) == (0, 24, 2)
    assert torch.equal(bare.batch, graph.batch)


# Several graphs as one


def test_a_batch_is_block_diagonal_and_batches_nest():
    one, two, three = (random_graph(seed, 5 + seed, 8) for seed in range(3))
    together = batch_graphs([one, two, three])
    torch.testing.assert_close(dense_of(together), torch.block_diag(dense_of(one), dense_of(two), dense_of(three)))
    assert together.num_graphs == 3
    assert torch.bincount(together.batch).tolist() == [5, 6, 7]
    nested = batch_graphs([batch_graphs([one, two]), three])
    assert torch.equal(nested.edge_index, together.edge_index)
    assert torch.equal(nested.batch, together.batch)
    assert nested.num_graphs == 3
    weighted = batch_graphs([random_graph(0, weighted=True), random_graph(1, weighted=True)])
    assert weighted.edge_weight.shape == weighted.edge_index.shape[1:]
    assert torch.equal(one.batch, torch.zeros(5, dtype=torch.long))


def test_moving_keeps_everything():
    graph = batch_graphs([random_graph(0, weighted=True), random_graph(1, weighted=True)])
    moved = graph.to("cpu")
    for name in ("edge_index", "edge_weight", "batch"):
        assert torch.equal(getattr(moved, name), getattr(graph, name))
    assert (moved.num_nodes, moved.num_graphs) == (graph.num_nodes, graph.num_graphs)
