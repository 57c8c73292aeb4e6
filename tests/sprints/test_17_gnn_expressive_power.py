"""Sprint 17's claims about what message passing can tell apart, at a small size."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import networkx as nx
import pytest
import torch

from shared.graph import motif_graphs, structural_features
from shared.graph.graphs import Graph, adjacency_matrix, batch_graphs
from shared.graph.layers import GATLayer, GCNLayer, GINLayer, SAGELayer

FOLDER = "17_gnn"


@pytest.fixture
def part(load_sprint: Callable[[str], ModuleType]) -> Callable[[str], ModuleType]:
    """Return a module of the sprint's package."""
    return lambda name: load_sprint(f"{FOLDER}/graph_study/{name}.py")


@pytest.fixture
def motifs() -> ModuleType:
    return motif_graphs


@pytest.fixture
def colours(part) -> ModuleType:
    return part("colour_refinement")


@pytest.fixture
def structure() -> ModuleType:
    return structural_features


@pytest.fixture
def training(part) -> ModuleType:
    return part("motif_training")


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def from_networkx(graph: nx.Graph) -> Graph:
    return Graph.undirected(list(graph.edges), len(graph))


def test_colours_sort_all_small_graphs_as_networkx_does(colours):
    atlas = [graph for graph in nx.graph_atlas_g() if len(graph)]
    ours = colours.colour_counts([from_networkx(graph) for graph in atlas])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = [nx.weisfeiler_lehman_graph_hash(graph, iterations=7) for graph in atlas]
    assert len(atlas) == 1252
    assert len(set(ours)) == len(set(theirs)) == len(set(zip(ours, theirs, strict=True))), "the same classes"
    assert len(set(ours)) < len(atlas), "some pairs are not told apart"
    by_round = colours.colour_counts([from_networkx(graph) for graph in atlas], rounds=1)
    assert len(set(by_round)) == len({(len(g), tuple(sorted(d for _, d in g.degree))) for g in atlas}), "degrees"


def test_colours_of_a_path_in_hand(colours):
    path = Graph.undirected([(0, 1), (1, 2), (2, 3), (3, 4)], 5)
    assert colours.colour_refinement(path, 0).tolist() == [0] * 5
    assert colours.colour_refinement(path, 1).tolist() == [0, 1, 1, 1, 0]
    assert colours.colour_refinement(path).tolist() == [0, 1, 2, 1, 0]
    assert len(set(colours.colour_refinement(path, start=["b", "a", "a", "a", "a"]).tolist())) == 5, "ends differ"
    with pytest.raises(ValueError, match="a label for each of 5 nodes, got 2"):
        colours.colour_refinement(path, start=[0, 1])


def test_colours_do_not_depend_on_the_order_of_nodes(motifs, colours, generator):
    tree = Graph.undirected(motifs.random_tree(12, generator), 12)
    order = torch.randperm(12, generator=generator)
    moved = Graph(order[tree.edge_index], 12)
    assert torch.equal(colours.colour_refinement(moved)[order], colours.colour_refinement(tree))


@pytest.mark.parametrize("layer", [GINLayer, GCNLayer, SAGELayer, GATLayer])
def test_no_weights_of_any_layer_tell_equal_colours_apart(part, motifs, layer):
    torch.manual_seed(1)
    networks = part("graph_networks")
    for name, make in motifs.TWINS.items():
        twins = batch_graphs(make())
        sizes = {"width": 16, "num_layers": 4, "readouts": [networks.sum_readout]}
        model = networks.GraphNetwork(layer, 1, 2, **sizes).double().eval()
        first, second = model(torch.ones(twins.num_nodes, 1, dtype=torch.double), twins)
        equal = (first - second).abs().max() < 1e-9
        if layer in (GINLayer, GCNLayer):
            assert equal == ("one node" not in name), name
        else:
            assert equal, f"means of ones are one: {name}"


def test_sum_mean_and_maximum_on_the_classical_neighbourhoods(load_sprint):
    script = load_sprint(f"{FOLDER}/sum_mean_max.py")
    results = script.main(script.Config())
    differs = {name: [value > 1e-3 for value in row.values()] for name, row in results.neighbourhoods.items()}
    # sum, weighted sum, mean, maximum
    assert list(differs.values()) == [[True, True, False, False], [True, True, True, False], [True, True, False, False]]
    assert script.main(script.Config()) == results, "same seed, same results"


def test_twins_differ_in_the_motif_alone(motifs, colours, generator):
    for task, rounds in zip(motifs.TASKS, (1, 3, None), strict=True):
        graphs, labels = motifs.motifs_in_trees(task, 20, generator)
        assert labels == [0, 1] * 20
        assert all(one.num_nodes == other.num_nodes for one, other in zip(graphs[::2], graphs[1::2], strict=True))
        if rounds is None:
            assert colours.permitted(graphs, labels) == 0.5
        else:
            assert colours.permitted(graphs, labels, rounds - 1) == 0.5
            assert colours.permitted(graphs, labels, rounds) == colours.permitted(graphs, labels) == 1
    assert colours.permitted([graphs[0]] * 3, [0, 1, 0]) == pytest.approx(2 / 3), (
        "equal graphs, the most frequent label"
    )
    with pytest.raises(ValueError, match=r"task must be one of house or pentagon.*got 'tree'"):
        motifs.motifs_in_trees("tree", 1, generator)


def test_the_ten_rings_are_ten_shapes_and_one_colour(motifs, colours, structure, generator):
    graphs, labels = motifs.circular_skip_links(1, generator)
    assert colours.permitted(graphs, labels) == pytest.approx(0.1)
    walks = torch.stack([structure.return_probabilities(graph)[0] for graph in graphs])
    assert len(walks.unique(dim=0).round(decimals=5)) == 10, "another spectrum is another graph"
    assert all((adjacency_matrix(graph).sum(dim=0) == 4).all() for graph in graphs)


@pytest.fixture
def how(training):
    """Return the settings of a small training."""
    return training.MotifTraining(
        pairs=30, copies=1, width=16, steps=80, learning_rate=5e-3, draws=2, device=torch.device("cpu")
    )


def test_only_features_that_colours_do_not_give_help(training, structure, how):
    one_node, joined_at_all = training.ONE_NODE, training.JOINED_AT_ALL
    assert training.train_on_task(how, joined_at_all, "GIN (sum)", 4, seed=0) == 0.5
    assert training.train_on_task(how, one_node, "SAGE (mean)", 4, seed=0) == 0.5
    assert training.train_on_task(how, one_node, "GIN (sum)", 2, seed=0) == 0.5, "two layers see two rounds"
    assert training.train_on_task(how, one_node, "GIN (sum)", 4, seed=0) > 0.9
    with_walks = training.train_on_task(how, joined_at_all, "GIN (sum)", 4, 0, structure.WALKS)
    assert with_walks > 0.9
    again = training.train_on_task(how, joined_at_all, "GIN (sum)", 4, 0, structure.WALKS)
    assert again == with_walks, "same seed, same results"


def test_random_features_are_the_same_for_the_same_seed(training, structure, how):
    short = replace(how, steps=2)
    first, second = (
        training.train_on_task(short, training.RINGS, "GIN (sum)", 2, 0, structure.RANDOM) for _ in range(2)
    )
    assert first == second


def test_twins_are_compared_and_drawn(load_sprint):
    script = load_sprint(f"{FOLDER}/twin_graphs.py")
    results = script.main(script.Config(tries=3))
    pairs = list(results.pairs.values())
    assert [pair.told_apart for pair in pairs] == [True, False, False, False, False]
    assert [pair.gin > 1e-6 for pair in pairs] == [True, False, False, False, False]
    assert pairs[-1].return_probabilities < 1e-6, "not even walks tell these two apart"
    assert pairs[-1].spectrum < 1e-6
    assert pairs[2].return_probabilities > 1e-3, "walks tell decalin from bicyclopentyl"
    assert len(script.plot(results).axes) == 4


def test_sums_tell_apart_what_colours_do(load_sprint):
    script = load_sprint(f"{FOLDER}/graph_atlas.py")
    results = script.main(script.Config())
    assert (results.graphs, results.colour_classes) == (1252, 1226)
    assert results.within < 1e-12 < 1e-8 < results.between


def test_tasks_stand_beside_chance_and_what_colours_permit(load_sprint, training):
    script = load_sprint(f"{FOLDER}/expressive_power.py")
    config = script.Config(pairs=3, copies=1, steps=2, width=8, seeds=(0, 1), device="cpu")
    results = script.main(config)
    assert [(task.chance, task.permitted) for task in results.tasks.values()] == [
        (0.5, 1.0), (0.5, 1.0), (0.5, 0.5), (0.1, 0.1)
    ]  # fmt: skip
    assert results.tasks[training.RINGS].models["GIN (sum)"].test == pytest.approx([0.1, 0.1])
    assert len(script.plot(results).axes) == 4


def test_remedies_stand_beside_chance(load_sprint):
    script = load_sprint(f"{FOLDER}/beyond_colours.py")
    config = script.Config(pairs=3, copies=1, steps=2, width=8, draws=2, seeds=(0,), device="cpu")
    results = script.main(config)
    assert [(task.chance, task.permitted) for task in results.tasks.values()] == [(0.5, 0.5), (0.1, 0.1)]
    assert all(len(task.models) == 3 for task in results.tasks.values())
    assert len(script.plot(results).axes) == 2


def test_two_layers_are_at_chance_where_two_rounds_are(load_sprint):
    script = load_sprint(f"{FOLDER}/layers_and_rounds.py")
    results = script.main(script.Config(pairs=30, steps=80, width=16, seeds=(0,), device="cpu"))
    assert [depth.permitted for depth in results.depths.values()] == [0.5, 0.5, 1.0, 1.0]
    reached = [depth.gin.test[0] for depth in results.depths.values()]
    assert reached[:2] == [0.5, 0.5]
    assert max(reached) > 0.9
