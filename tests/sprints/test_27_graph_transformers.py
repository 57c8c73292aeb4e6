"""Sprint 27's transformers on graphs and what goes through one node: equal to PyTorch Geometric, and to paper."""

import itertools
import math
from types import ModuleType

import pytest
import torch
from torch import nn
from torch_geometric.nn import GCNConv, GPSConv, TransformerConv
from torch_geometric.utils import to_dense_batch

from shared.graph.graphs import Graph, adjacency_matrix, batch_graphs
from shared.graph.layers import GCNLayer
from shared.graph.motif_graphs import SKIPS, circulant
from shared.graph.structural_features import laplacian_eigenvectors, return_probabilities

FOLDER = "27_graphs_downstream"


@pytest.fixture
def transformers(load_sprint) -> ModuleType:
    return load_sprint(f"{FOLDER}/downstream/graph_transformer.py")


@pytest.fixture
def encodings(load_sprint) -> ModuleType:
    return load_sprint(f"{FOLDER}/downstream/encodings.py")


@pytest.fixture
def two_graphs() -> Graph:
    return batch_graphs(
        [
            Graph.undirected([(0, 1), (1, 2), (2, 0), (2, 3)], 5),
            Graph.undirected([(0, 1), (1, 2)], 3),
        ]
    )


def copy(theirs: nn.Linear, ours: nn.Linear) -> None:
    theirs.load_state_dict(ours.state_dict())


def test_attention_along_edges_equals_transformer_conv(transformers, two_graphs):
    torch.manual_seed(0)
    ours, theirs = transformers.TransformerConvLayer(4, 3, heads=2), TransformerConv(4, 3, heads=2)
    for part, other in (("query", "lin_query"), ("key", "lin_key"), ("value", "lin_value"), ("own", "lin_skip")):
        copy(getattr(theirs, other), getattr(ours, part))
    features = torch.randn(8, 4)
    torch.testing.assert_close(ours(features, two_graphs), theirs(features, two_graphs.edge_index))


@pytest.mark.parametrize("training", [True, False])
def test_a_gps_layer_equals_gps_conv(transformers, two_graphs, training: bool):
    torch.manual_seed(0)
    ours, theirs = transformers.GPSLayer(8, GCNLayer(8, 8), heads=2), GPSConv(8, GCNConv(8, 8), heads=2)
    for norm in ours.norms:
        nn.init.uniform_(norm.weight)
        nn.init.uniform_(norm.running_mean)
    theirs.conv.lin.weight.data, theirs.conv.bias.data = ours.local.weight.data.T, ours.local.bias.data
    attention = ours.attention
    parts = (attention.query, attention.key, attention.value)
    theirs.attn.in_proj_weight.data = torch.cat([part.weight for part in parts])
    theirs.attn.in_proj_bias.data = torch.cat([part.bias for part in parts])
    copy(theirs.attn.out_proj, attention.output)
    copy(theirs.mlp[0], ours.mlp[0])
    copy(theirs.mlp[3], ours.mlp[2])
    for mine, other in zip(ours.norms, (theirs.norm2, theirs.norm3, theirs.norm1), strict=True):
        other.module.load_state_dict(mine.state_dict())
    ours.train(training)
    theirs.train(training)
    features = torch.randn(8, 8)
    expected = theirs(features, two_graphs.edge_index, two_graphs.batch)
    torch.testing.assert_close(ours(features, two_graphs), expected, atol=1e-5, rtol=1e-5)


def test_a_bias_is_an_additive_mask_of_pytorchs_attention(transformers, encodings):
    torch.manual_seed(0)
    graph = circulant(7, 2)
    ours, bias = transformers.GraphAttention(6, 2), transformers.DistanceBias(2, 2)
    theirs = nn.MultiheadAttention(6, 2, batch_first=True)
    theirs.in_proj_weight.data = torch.cat([part.weight for part in (ours.query, ours.key, ours.value)])
    theirs.in_proj_bias.data = torch.cat([part.bias for part in (ours.query, ours.key, ours.value)])
    copy(theirs.out_proj, ours.output)
    features, added = torch.randn(7, 6), bias(encodings.padded_distances([graph]))
    expected = theirs(features[None], features[None], features[None], attn_mask=added[0], need_weights=False)[0][0]
    torch.testing.assert_close(ours(features, graph, added), expected)
    assert not torch.allclose(ours(features, graph), expected)


def test_nodes_without_a_path_have_a_number_of_their_own(transformers, encodings):
    bias = transformers.DistanceBias(2, 2)
    path = Graph.undirected([(0, 1), (1, 2), (2, 3)], 5)
    added = bias(encodings.padded_distances([path]))[0, 1]
    number = bias.table.weight[:, 1]
    assert torch.equal(added[0], number[torch.tensor([0, 1, 2, 2, 3])])


def test_attention_never_leaves_a_graph(transformers, two_graphs):
    torch.manual_seed(0)
    layer = transformers.GraphAttention(4, 1)
    features = torch.randn(8, 4)
    moved = features.clone()
    moved[6] += 1
    changed = (layer(features, two_graphs) != layer(moved, two_graphs)).any(dim=1)
    assert changed.tolist() == [False] * 5 + [True] * 3


def test_an_unsorted_batch_is_refused_where_pytorch_geometric_mixes_graphs(transformers):
    graph = Graph(torch.zeros(2, 0, dtype=torch.long), 4, None, torch.tensor([0, 1, 0, 1]), 2)
    features = torch.tensor([[1.0], [10.0], [2.0], [20.0]])
    rows, _ = to_dense_batch(features, graph.batch)
    assert sorted(rows[0].flatten().tolist()) != [1, 2], "graph 0 has the nodes 1 and 2, and gets other ones"
    with pytest.raises(ValueError, match="node 1 is in graph 1 and node 2 in graph 0: sort"):
        transformers.dense_batch(features, graph)


def test_distances_are_shortest_paths_and_pieces_are_told(encodings):
    graph = Graph.undirected([(0, 1), (1, 2), (2, 3), (4, 5)], 6)
    found = encodings.distances(graph)
    assert found[0].tolist() == [0, 1, 2, 3, -1, -1]
    assert torch.equal(found, found.T)
    assert encodings.components(graph) == 2
    with pytest.raises(ValueError, match="in 2 pieces"):
        encodings.connected_eigenvectors(graph, 2)
    ring = circulant(9, 2)
    torch.testing.assert_close(encodings.connected_eigenvectors(ring, 3), laplacian_eigenvectors(ring, 3))
    padded = encodings.padded_distances([graph, Graph.undirected([(0, 1)], 2)])
    assert padded.shape == (2, 6, 6)
    assert (padded[1, 2:] == -1).all()


def test_encodings_of_the_complete_graph_say_nothing(encodings):
    graphs = [circulant(41, skip) for skip in (2, 3)]
    walks = [return_probabilities(graph) for graph in graphs]
    assert not torch.allclose(*walks)
    wrong = [return_probabilities(encodings.complete(graph)) for graph in graphs]
    assert torch.equal(*wrong)
    assert (wrong[0] == wrong[0][0]).all(), "not even the nodes differ"
    torch.testing.assert_close(wrong[0][0, :3], torch.tensor([0, 1 / 40, 39 / 1600]))


def test_signs_are_drawn_for_each_graph_and_column(encodings, two_graphs):
    vectors = torch.rand(8, 6) + 0.1
    drawn = encodings.with_random_signs(vectors, two_graphs.batch, torch.Generator().manual_seed(0)) / vectors
    assert torch.allclose(drawn.abs(), torch.ones(8, 6))
    assert (drawn[:5] == drawn[0]).all()
    assert (drawn[5:] == drawn[5]).all()
    assert (drawn[0] != drawn[5]).any()


# What goes through one node


@pytest.fixture
def trees(load_sprint) -> ModuleType:
    return load_sprint(f"{FOLDER}/downstream/match_trees.py")


def test_the_answer_is_the_value_of_the_leaf_with_the_roots_key(trees):
    drawn = trees.draw_trees(3, 50, torch.Generator().manual_seed(0))
    keys, values = drawn.keys.reshape(50, 15), drawn.values.reshape(50, 15)
    assert (keys[:, 1:7] == 0).all()
    assert (values[:, :7] == 0).all()
    assert torch.equal(keys[:, 7:].sort(dim=1).values, torch.arange(1, 9).expand(50, 8))
    for tree in range(50):
        leaf = 7 + keys[tree, 7:].tolist().index(keys[tree, 0])
        assert values[tree, leaf] - 1 == drawn.answers[tree]
    source, target = drawn.graph.edge_index
    assert torch.equal((source % 15 - 1) // 2, target % 15)
    assert torch.equal(source // 15, target // 15)
    with pytest.raises(ValueError, match="at least 1, got 0"):
        trees.tree_edges(0)


def test_note_10_jacobians_and_bits(load_sprint, trees):
    script = load_sprint(f"{FOLDER}/squashing_by_hand.py")
    results = script.main(script.Config())
    assert results.jacobian == pytest.approx(results.by_formula)
    assert [f"{value:.3f}" for value in results.jacobian[:3]] == ["0.577", "0.192", "0.064"]
    assert trees.bits_to_pass(1) == pytest.approx(2)
    # By counting: which keys are in the left half, and which values they have.
    ways = {
        tuple(sorted(zip(keys[:2], values[:2], strict=True)))
        for keys in itertools.permutations(range(4))
        for values in itertools.permutations(range(4))
    }
    assert len(ways) == 72
    assert 2 ** trees.bits_to_pass(2) == pytest.approx(72)
    assert f"{results.bits[1]:.1f}, {results.bits[4]:.1f}" == "6.2, 102.6"
    assert len(script.plot(results).axes) == 1


@pytest.mark.parametrize("kind", ["GCN", "GIN", "GAT", "transformer"])
def test_every_parameter_of_a_network_on_trees_moves(trees, kind: str):
    torch.manual_seed(0)
    model = trees.MatchNetwork(kind, 2, 8, 3)
    drawn = trees.draw_trees(2, 16, torch.Generator().manual_seed(0))
    nn.functional.cross_entropy(model(drawn), drawn.answers).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters()), kind
    with pytest.raises(ValueError, match="kind must be one of GCN"):
        trees.MatchNetwork("RNN", 2, 8, 3)


def test_attention_answers_where_messages_do_not_yet(load_sprint):
    script = load_sprint(f"{FOLDER}/through_one_node.py")
    results = script.main(script.Config(depths=(2,), steps=70, batch=32, test=200, seeds=(0,), learning_rates=(0.01,)))
    assert results.accuracy["transformer"][0][0] > 0.9
    assert all(results.accuracy[kind][0][0] < 0.6 for kind in ("GCN", "GIN", "GAT"))
    assert len(script.plot(results).axes) == 1


# Rings


def test_note_11_without_encodings_all_nodes_stay_alike(load_sprint, transformers):
    script = load_sprint(f"{FOLDER}/circular_skip_links.py")
    torch.manual_seed(0)
    graphs = [circulant(41, skip) for skip in (2, 3)]
    for name, same in (("GCN and attention (GPS)", True), ("attention, distance bias", True),
                       ("GPS, random walks", False), ("GPS, walks of the complete graph", True),
                       ("attention, distance bias, one node more", False)):  # fmt: skip
        way = script.WAYS[name]
        how = {"local": GCNLayer if way.local else None, "most_distance": 10 if way.bias else None}
        model = transformers.GraphTransformer(8, 10, width=8, heads=2, num_layers=2, **how).eval()
        answers = model(*script.prepare(graphs, [0, 1], way)[:3])
        assert torch.allclose(answers[0], answers[1], atol=1e-5) == same, name


def test_note_11_two_rings_have_equal_distances(encodings):
    counts = {skip: tuple(torch.bincount(encodings.distances(circulant(41, skip))[0]).tolist()) for skip in SKIPS}
    assert counts[6] == counts[16] == (1, 4, 8, 12, 10, 6)
    assert len(set(counts.values())) == 9


def test_rings_are_told_apart_by_walks(load_sprint):
    script = load_sprint(f"{FOLDER}/circular_skip_links.py")
    config = script.Config(copies=1, steps=150, width=32, seeds=(0,))
    assert script.train(config, script.WAYS["GPS, random walks"], 0) > 0.9
    assert script.train(config, script.WAYS["GCN"], 0) == pytest.approx(0.1)


def test_note_10_and_exercise_j_other_trees():
    chain = Graph(torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]]), 5).gcn_normalised
    power = torch.linalg.matrix_power(adjacency_matrix(chain), 4)
    assert power[4, 0].item() == pytest.approx((1 / 2) ** 0.5 / 8)
    assert f"{power[4, 0]:.3f}" == "0.088"
    children = torch.arange(1, 40)
    tree = Graph(torch.stack([children, (children - 1) // 3]), 40).gcn_normalised
    power = torch.linalg.matrix_power(adjacency_matrix(tree), 3)
    assert f"{power[0, 39]:.3f}" == "0.031"
    ways = math.comb(9, 3) * 9 * 8 * 7
    assert (ways, f"{math.log2(ways):.1f}") == (42336, "15.4")


def test_note_11_walks_by_hand(load_sprint):
    results = load_sprint(f"{FOLDER}/encodings_by_hand.py").main(load_sprint(f"{FOLDER}/encodings_by_hand.py").Config())
    assert results.back["ring"] == [pytest.approx([0, 1 / 2, 0, 1 / 2])] * 4
    assert results.back["star"][0] == pytest.approx([0, 1, 0, 1])
    assert results.back["star"][1] == pytest.approx([0, 1 / 3, 0, 1 / 3])
    assert results.back["complete"] == [pytest.approx([0, 1 / 3, 2 / 9, 7 / 27])] * 4
    path = return_probabilities(Graph.undirected([(0, 1), (1, 2)], 3), 2)
    assert path[:, 1].tolist() == [0.5, 1, 0.5]
