"""Sprint 17's claims about what message passing can tell apart, at a small size."""

import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import networkx as nx
import pytest
import torch

from shared.graph.graphs import Graph, batch_graphs
from shared.graph.layers import GATLayer, GCNLayer, GINLayer, SAGELayer

FOLDER = "17_gnn"


@pytest.fixture
def script(load_sprint: Callable[[str], ModuleType]) -> ModuleType:
    return load_sprint(f"{FOLDER}/expressive_power.py")


@pytest.fixture
def motifs(load_sprint: Callable[[str], ModuleType]) -> ModuleType:
    """Return the part, as the script knows it."""
    load_sprint(f"{FOLDER}/expressive_power.py")
    return sys.modules["graph_study.motif_graphs"]


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def from_networkx(graph: nx.Graph) -> Graph:
    return Graph.undirected(list(graph.edges), len(graph))


def test_colours_sort_all_small_graphs_as_networkx_does(motifs):
    atlas = [graph for graph in nx.graph_atlas_g() if len(graph)]
    ours = motifs.colour_counts([from_networkx(graph) for graph in atlas])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = [nx.weisfeiler_lehman_graph_hash(graph, iterations=7) for graph in atlas]
    assert len(atlas) == 1252
    assert len(set(ours)) == len(set(theirs)) == len(set(zip(ours, theirs, strict=True))), "the same classes"
    assert len(set(ours)) < len(atlas), "some pairs are not told apart"
    by_round = motifs.colour_counts([from_networkx(graph) for graph in atlas], rounds=1)
    assert len(set(by_round)) == len({(len(g), tuple(sorted(d for _, d in g.degree))) for g in atlas}), "degrees"


def test_colours_of_a_path_in_hand(motifs):
    path = Graph.undirected([(0, 1), (1, 2), (2, 3), (3, 4)], 5)
    assert motifs.colour_refinement(path, 0).tolist() == [0] * 5
    assert motifs.colour_refinement(path, 1).tolist() == [0, 1, 1, 1, 0]
    assert motifs.colour_refinement(path).tolist() == [0, 1, 2, 1, 0]
    assert len(set(motifs.colour_refinement(path, start=["b", "a", "a", "a", "a"]).tolist())) == 5, "ends differ"
    with pytest.raises(ValueError, match="a label for each of 5 nodes, got 2"):
        motifs.colour_refinement(path, start=[0, 1])


def test_colours_do_not_depend_on_the_order_of_nodes(motifs, generator):
    tree = Graph.undirected(motifs.random_tree(12, generator), 12)
    order = torch.randperm(12, generator=generator)
    moved = Graph(order[tree.edges], 12)
    assert torch.equal(motifs.colour_refinement(moved)[order], motifs.colour_refinement(tree))


@pytest.mark.parametrize("layer", [GINLayer, GCNLayer, SAGELayer, GATLayer])
def test_no_weights_of_any_layer_tell_equal_colours_apart(script, motifs, layer):
    torch.manual_seed(1)
    for name, make in motifs.TWINS.items():
        batch = batch_graphs(make())
        model = script.GraphClassifier(layer, 1, 2, 16, 4).double().eval()
        first, second = model(torch.ones(batch.nodes, 1, dtype=torch.double), batch)
        equal = (first - second).abs().max() < 1e-9
        if layer in (GINLayer, GCNLayer):
            assert equal == ("one node" not in name), name
        else:
            assert equal, f"means of ones are one: {name}"


def test_sum_mean_and_maximum_on_the_classical_neighbourhoods(script, generator):
    found = script.compare_neighbourhoods(generator)
    differs = {name: [value > 1e-3 for value in row.values()] for name, row in found.items()}
    # sum, weighted sum, mean, maximum
    assert list(differs.values()) == [[True, True, False, False], [True, True, True, False], [True, True, False, False]]


def test_twins_differ_in_the_motif_alone(motifs, generator):
    for task, rounds in zip(motifs.TASKS, (1, 3, None), strict=True):
        graphs, labels = motifs.motifs_in_trees(task, 20, generator)
        assert labels == [0, 1] * 20
        assert all(one.nodes == other.nodes for one, other in zip(graphs[::2], graphs[1::2], strict=True))
        if rounds is None:
            assert motifs.permitted(graphs, labels) == 0.5
        else:
            assert motifs.permitted(graphs, labels, rounds - 1) == 0.5
            assert motifs.permitted(graphs, labels, rounds) == motifs.permitted(graphs, labels) == 1
    assert motifs.permitted([graphs[0]] * 3, [0, 1, 0]) == pytest.approx(2 / 3), "equal graphs, the most frequent label"
    with pytest.raises(ValueError, match=r"task must be one of house or pentagon.*got 'tree'"):
        motifs.motifs_in_trees("tree", 1, generator)


def test_the_ten_rings_are_ten_shapes_and_one_colour(motifs, generator):
    graphs, labels = motifs.circular_skip_links(1, generator)
    assert motifs.permitted(graphs, labels) == pytest.approx(0.1)
    walks = torch.stack([motifs.return_probabilities(graph)[0] for graph in graphs])
    assert len(walks.unique(dim=0).round(decimals=5)) == 10, "another spectrum is another graph"
    assert all((motifs.adjacency(graph).sum(dim=0) == 4).all() for graph in graphs)


def test_walks_and_eigenvectors_are_those_of_the_matrices(motifs):
    triangle = Graph.undirected([(0, 1), (1, 2), (2, 0)], 3)
    torch.testing.assert_close(motifs.return_probabilities(triangle, 3)[0], torch.tensor([0.0, 0.5, 0.25]))
    graph = motifs.joined(motifs.HOUSE, (4,), [(0, 1), (1, 2)], 1)
    laplacian = torch.tensor(nx.normalized_laplacian_matrix(nx.Graph(graph.edges.T.tolist()), range(8)).toarray())
    vectors = motifs.laplacian_eigenvectors(graph, 7).double()
    values = (vectors * (laplacian @ vectors)).sum(dim=0) / 8
    torch.testing.assert_close(laplacian @ vectors, vectors * values, atol=1e-5, rtol=0)
    assert (values > 0.01).all(), "without the eigenvalue 0 of a connected graph"
    torch.testing.assert_close(vectors.T @ vectors / 8, torch.eye(7, dtype=torch.double), atol=1e-5, rtol=0)
    assert motifs.laplacian_eigenvectors(triangle, 5).shape == (3, 5), "padded"


def test_only_features_that_colours_do_not_give_help(script):
    config = script.Config(pairs=30, steps=80, remedy_steps=80, device="cpu", width=16)
    one_node, joined_at_all = list(script.TASKS)[1:]
    assert script.train(config, joined_at_all, "GIN (sum)", "ones", 0, 4) == 0.5
    assert script.train(config, one_node, "SAGE (mean)", "ones", 0, 4) == 0.5
    assert script.train(config, one_node, "GIN (sum)", "ones", 0, 2) == 0.5, "two layers see two rounds"
    assert script.train(config, one_node, "GIN (sum)", "ones", 0, 4) > 0.9
    found = script.train(config, joined_at_all, "GIN (sum)", script.WALKS, 0, 4)
    assert found > 0.9
    assert script.train(config, joined_at_all, "GIN (sum)", script.WALKS, 0, 4) == found, "same seed, same results"


def test_all_is_compared_and_drawn(script):
    config = script.Config(pairs=3, copies=1, steps=2, remedy_steps=2, width=8, draws=2, seeds=(0, 1), device="cpu")
    results = script.main(config)
    assert [(task.chance, task.permitted) for task in results.tasks.values()] == [
        (0.5, 1.0), (0.5, 1.0), (0.5, 0.5), (0.1, 0.1)
    ]  # fmt: skip
    assert [depth.permitted for depth in results.depths.values()] == [0.5, 0.5, 1.0, 1.0]
    assert [pair.told_apart for pair in results.pairs.values()] == [True, False, False, False, False]
    assert results.tasks[script.RINGS].models["GIN (sum)"].test == pytest.approx([0.1, 0.1])
    assert results.atlas.within < 1e-12 < 1e-8 < results.atlas.between, "untrained sums tell apart what colours do"
    assert len(script.plot(results).axes) == 8
    short = replace(config, seeds=(0,))
    assert script.train(short, script.RINGS, "GIN (sum)", script.RANDOM, 0, 2) == script.train(
        short, script.RINGS, "GIN (sum)", script.RANDOM, 0, 2
    )
