"""Networks that score pairs: equal to PyTorch Geometric's, without a leak; SEAL's labels and its cut-out graphs."""

from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import shortest_path
from torch_geometric.nn import GCNConv
from torch_geometric.utils import k_hop_subgraph

from shared.graph.block_models import block_model, rates_of
from shared.graph.graphs import Graph
from shared.graph.motif_graphs import cycle

SPRINT = "27_graphs_downstream"


@pytest.fixture
def models(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/link_models.py")


@pytest.fixture
def seal(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/seal.py")


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def random_graph(seed: int, nodes: int = 16, share: float = 0.15) -> Graph:
    """Return a graph in several pieces."""
    return Graph.undirected(torch.tensor(list(nx.gnp_random_graph(nodes, share, seed=seed).edges)), nodes)


# Encoders and decoders


def split_of(models, generator) -> tuple:
    graph, _ = block_model(60, rates_of(8, 2.0, 2), generator)
    return graph, models.split_links(graph, 0.1, 0.2, 2, generator)


def test_a_gcn_with_a_dot_product_is_pytorch_geometrics(models, generator):
    torch.manual_seed(0)
    _, split = split_of(models, generator)
    ours = models.LinkNetwork("GCN", "dot product", 5, 8).double()
    features = torch.randn(60, 5, generator=generator, dtype=torch.float64)
    layers = [GCNConv(5, 8).double(), GCNConv(8, 8).double()]
    for theirs, weight in zip(layers, (ours.weight @ ours.first.weight, ours.second.weight), strict=True):
        theirs.lin.weight.data, theirs.bias.data = weight.data.T.clone(), torch.full((8,), 0.1).double()
    for layer in (ours.first, ours.second):
        layer.bias.data.fill_(0.1)
    vectors = layers[1](layers[0](features, split.graph.edge_index).relu(), split.graph.edge_index)
    expected = (vectors[split.test[:, 0]] * vectors[split.test[:, 1]]).sum(dim=1)
    torch.testing.assert_close(ours(features, split.graph, split.test), expected)
    torch.testing.assert_close(ours(features.to_sparse(), split.graph, split.test), expected)


def test_parts_of_a_split_share_no_edge_and_wrong_pairs_are_none(models, generator):
    graph, split = split_of(models, generator)
    parts = [{tuple(sorted(pair)) for pair in part.tolist()} for part in (split.train, split.val, split.test)]
    everything = {tuple(sorted(edge)) for edge in graph.edge_index.T.tolist()}
    assert set.union(*parts) == everything
    assert sum(map(len, parts)) == len(everything)
    assert {tuple(sorted(edge)) for edge in split.graph.edge_index.T.tolist()} == parts[0]
    wrong = [tuple(pair) for pair in torch.cat([split.val_wrong, split.test_wrong]).tolist()]
    assert len(set(wrong)) == len(wrong) == 2 * (len(split.val) + len(split.test))
    assert not set(wrong) & everything
    with pytest.raises(ValueError, match=r"each part needs an edge; 3 edges in shares of 0.9, 0.05 and 0.05"):
        models.split_links(Graph.undirected([(0, 1), (1, 2), (2, 3)], 9), 0.05, 0.05, 1, generator)


@pytest.mark.parametrize("encoder", ["no edges", "GCN", "SAGE", "GAT"])
@pytest.mark.parametrize("decoder", ["dot product", "bilinear", "MLP"])
def test_a_pair_has_one_score_its_own_edge_does_not_move_it_and_all_learn(models, generator, encoder, decoder):
    torch.manual_seed(0)
    _, split = split_of(models, generator)
    features = torch.randn(60, 5, generator=generator)
    model = models.LinkNetwork(encoder, decoder, 5, 8)
    before = [parameter.clone() for parameter in model.parameters()]
    models.fit_links(model, features, split, steps=3, rate=0.01, dropout=0.2, generator=generator, every=3)
    assert all(not torch.equal(*pair) for pair in zip(before, model.parameters(), strict=True))
    scores = model(features, split.graph, split.test)
    torch.testing.assert_close(model(features, split.graph, split.test.flip(1)), scores)
    pair = split.test[:1]
    leaky = Graph(torch.cat([split.graph.edge_index, pair.T, pair.T.flip(0)], dim=1), 60)
    moved = float((model(features, leaky, pair) - scores[:1]).abs())
    assert moved == 0 if encoder == "no edges" else moved > 1e-4, (
        "with its edge in the graph a score moves: not in ours"
    )


def test_weights_that_are_kept_are_those_best_on_validation(models, generator):
    torch.manual_seed(0)
    _, split = split_of(models, generator)
    features, model = torch.randn(60, 5, generator=generator), models.LinkNetwork("SAGE", "MLP", 5, 8)
    best = models.fit_links(model, features, split, steps=30, rate=0.05, dropout=0.0, generator=generator, every=1)
    again = models.auc(*models.scored(model, features, split.graph, split.val, split.val_wrong))
    assert best == again
    dropped = models.with_dropout(torch.eye(100).to_sparse(), 0.5).to_dense()
    assert dropped.sum() == dropped.diagonal().sum()
    assert {*dropped.diagonal().tolist()} == {0.0, 2.0}


# SEAL


def slow_labels(graph: Graph, first: int, second: int) -> list[int]:
    """Return double-radius labels by SciPy's shortest paths, in the order of steps of PyTorch Geometric's example."""
    dense = np.zeros((graph.num_nodes, graph.num_nodes))
    dense[graph.edge_index[1], graph.edge_index[0]] = 1
    dense[first, second] = dense[second, first] = 0
    apart = []
    for start, other in ((first, second), (second, first)):
        rest = dense.copy()
        rest[other] = rest[:, other] = 0
        apart.append(shortest_path(rest, unweighted=True, indices=start))
    apart[0][second] = apart[1][first] = 0
    whole = apart[0] + apart[1]
    reached = np.isfinite(whole)
    whole = np.where(reached, whole, 0)
    labels = 1 + np.minimum(*apart) + (whole // 2) * (whole // 2 + whole % 2 - 1)
    labels[[first, second]] = 1
    return [int(label) if seen else 0 for label, seen in zip(labels, reached, strict=True)]


@pytest.mark.parametrize("seed", range(3))
def test_labels_are_those_of_pytorch_geometrics_example(seal, seed):
    graph = random_graph(seed)
    near = seal.neighbours_of(graph)
    for first, second in torch.combinations(torch.arange(16)).tolist():
        found = seal.double_radius_labels(near, first, second)
        cut = seal.cut_out(near, (first, second), 16)
        expected = slow_labels(graph, first, second)
        assert found.tolist() == expected
        assert cut.labels.tolist() == [expected[node] for node in cut.nodes.tolist()]
    with pytest.raises(ValueError, match="two different nodes, got 3 twice"):
        seal.double_radius_labels(near, 3, 3)


def test_each_pair_of_distances_has_a_label_of_its_own(seal):
    def label(x: int, y: int) -> int:
        # Two paths that end at node 2: of x steps from node 0 and of y steps from node 1.
        near: list[list[int]] = [[], [], []]
        for end, steps in ((0, x), (1, y)):
            way = [end, *range(len(near), len(near) + steps - 1), 2]
            near += [[] for _ in range(steps - 1)]
            for one, other in pairwise(way):
                near[one].append(other)
                near[other].append(one)
        return int(seal.double_radius_labels(near, 0, 1)[2])

    ordered = sorted(((x + y, min(x, y)), label(x, y)) for x in range(1, 6) for y in range(x, 6))
    assert [found for (steps, _), found in ordered if steps <= 6] == list(
        range(2, 2 + sum(s // 2 for s in range(2, 7)))
    )


@pytest.mark.parametrize("hops", [1, 2])
def test_the_cut_out_is_pytorch_geometrics_subgraph_without_the_edge_that_is_asked_for(seal, hops):
    graph = random_graph(5, 30, 0.1)
    for pair in [*graph.edge_index.T[:6].tolist(), [0, 29]]:
        cut = seal.cut_outs(graph, torch.tensor([pair]), hops)[0]
        nodes, edges, _, _ = k_hop_subgraph(pair, hops, graph.edge_index, num_nodes=30)
        assert cut.nodes[:2].tolist() == pair
        assert sorted(cut.nodes.tolist()) == nodes.tolist()
        expected = {tuple(edge) for edge in edges.T.tolist()} - {tuple(pair), tuple(pair[::-1])}
        found = cut.nodes[cut.graph.edge_index].T.tolist()
        assert {tuple(edge) for edge in found} == expected
        assert len(found) == len(expected)


def test_the_network_scores_a_pair_as_it_does_in_a_batch_and_learns(seal, generator):
    torch.manual_seed(0)
    graph = Graph.undirected(cycle(9), 9)
    right = seal.cut_outs(graph, torch.tensor([[0, 3], [8, 2], [1, 7]]), 2)
    wrong = seal.cut_outs(graph, torch.tensor([[0, 4], [1, 5], [2, 6]]), 2)
    model = seal.SealNetwork(8)
    one_by_one = torch.cat([model([cut]) for cut in right + wrong])
    torch.testing.assert_close(model(right + wrong), one_by_one)
    torch.testing.assert_close(one_by_one[:3], one_by_one[:1].expand(3))  # turned rings are the same
    before = [parameter.clone() for parameter in model.parameters()]
    pairs = seal.ScoredCutOuts(right, wrong)
    assert seal.fit_seal(model, pairs, pairs, epochs=40, rate=0.01, generator=generator) == 1
    assert all(not torch.equal(*pair) for pair in zip(before, model.parameters(), strict=True))


def test_read_out_are_both_ends_and_the_mean_and_the_control_sees_no_label(seal):
    torch.manual_seed(0)
    path = Graph.undirected([(0, 1), (1, 2), (2, 3), (3, 4)], 5)
    cut = seal.cut_outs(path, torch.tensor([[0, 2], [4, 2]]), 5)
    model, blind = seal.SealNetwork(8).double(), seal.SealNetwork(8, labelled=False).double()
    features = model.embedding(cut[0].labels)
    for layer in model.layers:
        features = layer(features, cut[0].graph).relu()
    read = torch.cat([features[0] * features[1], features.mean(dim=0)])
    torch.testing.assert_close(model(cut[:1]), model.last(model.first(read).relu()))
    ring = Graph.undirected(cycle(8), 8)
    three, four = seal.cut_outs(ring, torch.tensor([[0, 3], [0, 4]]), 2)
    assert float((model([three]) - model([four])).abs()) > 1e-5
    torch.testing.assert_close(blind([three]), blind([four]))
