"""Sprint 27's transformers on graphs and what goes through one node: equal to PyTorch Geometric, and to paper."""

from types import ModuleType

import pytest
import torch
from torch import nn
from torch_geometric.nn import GCNConv, GPSConv, TransformerConv
from torch_geometric.utils import to_dense_batch

from shared.graph.graphs import Graph, batch_graphs
from shared.graph.layers import GCNLayer
from shared.graph.motif_graphs import circulant
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
