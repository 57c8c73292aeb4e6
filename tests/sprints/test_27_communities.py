"""Sprint 27's communities: modularity as networkx counts it, connected parts, networks that are trained on it."""

import math
from types import ModuleType

import networkx as nx
import pytest
import torch
from torch_geometric.nn import DMoNPooling

from shared.graph.block_models import block_model, rates_of
from shared.graph.graphs import Graph, adjacency_matrix

FOLDER = "27_graphs_downstream"


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def part(load_sprint):
    return lambda name: load_sprint(f"{FOLDER}/downstream/{name}.py")


@pytest.fixture
def hand(load_sprint) -> ModuleType:
    return load_sprint(f"{FOLDER}/communities_by_hand.py")


def as_networkx(graph: Graph) -> nx.Graph:
    return nx.from_numpy_array(adjacency_matrix(graph).numpy())


def as_sets(partition: list[int]) -> list[set[int]]:
    return [{node for node, own in enumerate(partition) if own == number} for number in set(partition)]


@pytest.mark.parametrize("resolution", [1.0, 0.5, 2.0])
def test_modularity_equals_networkxs_with_weights_and_loops(part, generator, resolution: float):
    pairs = torch.randint(12, (30, 2), generator=generator).unique(dim=0)
    pairs = pairs[pairs[:, 0] <= pairs[:, 1]]
    graph = Graph.undirected(pairs, 12, torch.rand(len(pairs), generator=generator) + 0.5)
    whole = nx.Graph()
    whole.add_nodes_from(range(12))
    for (one, other), weight in zip(graph.edge_index.T.tolist(), graph.edge_weight.tolist(), strict=True):
        whole.add_edge(one, other, weight=weight)
    assert any(one == other for one, other in whole.edges)
    for seed in range(5):
        partition = torch.randint(4, (12,), generator=torch.Generator().manual_seed(seed)).tolist()
        expected = nx.community.modularity(whole, as_sets(partition), resolution=resolution)
        assert part("modularity").modularity(graph, partition, resolution) == pytest.approx(expected, abs=1e-12)


def test_merging_keeps_modularity_and_bad_input_is_named(part, generator):
    module = part("modularity")
    graph, labels = block_model(60, rates_of(5.0, 1.5, 3), generator)
    level = module.WeightedGraph.of(graph).merged(labels.tolist())
    assert module.modularity(level, [0, 1, 2]) == pytest.approx(module.modularity(graph, labels.tolist()))
    assert module.modularity(graph, [7] * 60) == pytest.approx(0)
    with pytest.raises(ValueError, match="from 0 to 1 has no reverse"):
        module.WeightedGraph.of(Graph(torch.tensor([[0], [1]]), 2))
    with pytest.raises(ValueError, match="these 3 nodes have none"):
        module.WeightedGraph.of(Graph.undirected([], 3))
    with pytest.raises(ValueError, match="each of 60 nodes a community, got 59"):
        module.modularity(graph, [0] * 59)


def test_louvain_and_leiden_end_where_no_node_wants_to_move(part, generator):
    methods, module = part("communities"), part("modularity")
    graph, _ = block_model(200, rates_of(5.0, 1.5, 2), generator)
    theirs = nx.community.louvain_communities(as_networkx(graph), seed=0)
    whole = module.WeightedGraph.of(graph)
    order = range(200)
    for method in (methods.louvain, methods.leiden):
        found = method(graph, generator)
        assert module.modularity(graph, found) > nx.community.modularity(as_networkx(graph), theirs) - 0.03
        first, again = (method(graph, torch.Generator().manual_seed(1)) for _ in range(2))
        assert first == again, "same seed, same results"
    assert max(module.connected_parts(whole, found)) == max(found)
    two = methods.merged_to(graph, found, 2)
    assert set(two) == {0, 1}
    moved = methods.move_nodes(whole, order, order)
    for partition in (two, moved):
        best = module.modularity(whole, partition)
        for node in order:
            for other in {partition[neighbour] for neighbour in whole.neighbours[node]}:
                elsewhere = [*partition[:node], other, *partition[node + 1 :]]
                assert module.modularity(whole, elsewhere) <= best + 1e-9


def test_leidens_communities_are_connected_where_louvains_are_in_pieces(hand):
    results = hand.main(hand.Config(orders=40))
    assert results.in_pieces["Leiden"] == 0
    assert 0.2 < results.in_pieces["Louvain"] < 0.6
    assert results.mean_modularity["Leiden"] > results.mean_modularity["Louvain"]
    graph = as_networkx(hand.example())
    for name, partition in results.steps.items():
        assert results.modularity[name] == pytest.approx(nx.community.modularity(graph, as_sets(partition)))
    assert len(hand.plot(results).axes) == 1


def test_note_8_fourteen_nodes_by_hand(part, hand):
    whole = part("modularity").WeightedGraph.of(hand.example())
    degrees = whole.degrees
    assert (sum(degrees), degrees[0], sum(degrees[1:7]), sum(degrees[7:12])) == (164, 14, 22, 32)
    assert f"{6 - 14 * 22 / 164:.2f}" == "4.12"
    assert f"{8 - 14 * 32 / 164:.2f}" == "5.27"
    assert f"{4 - 7 * 15 / 164:.2f}" == "3.36"
    assert f"{3 - 7 * 46 / 164:.2f}" == "1.04"
    results = hand.main(hand.Config(orders=1))
    gain = results.modularity["node 0 has left"] - results.modularity["node 0 on the left"]
    assert gain == pytest.approx((8 - 14 * 32 / 164 - 6 + 14 * 22 / 164) / 82)
    assert results.gain_of_the_cut == pytest.approx(2 * 11 * 11 / 164**2)
    assert f"{results.gain_of_the_cut:.4f}" == "0.0090"


def test_note_8_rings_of_cliques_and_the_limit_of_resolution(part):
    module = part("modularity")
    for cliques, better in ((30, True), (20, False)):
        size = 5
        pairs = [(size * k + a, size * k + b) for k in range(cliques) for a in range(size) for b in range(a)]
        pairs += [(size * k, (size * k + size + 1) % (size * cliques)) for k in range(cliques)]
        graph = Graph.undirected(pairs, size * cliques)
        single = module.modularity(graph, [node // size for node in range(size * cliques)])
        double = module.modularity(graph, [node // (2 * size) for node in range(size * cliques)])
        assert single == pytest.approx(1 - 1 / 11 - 1 / cliques)
        assert double == pytest.approx(1 - 1 / 22 - 2 / cliques)
        assert (double > single) == better


def test_the_bethe_hessian_finds_groups_and_counts_them(part, generator):
    spectral = part("spectral_communities")
    graph, labels = block_model(300, rates_of(12.0, 2.7, 3), generator)
    groups = labels.tolist()
    assert spectral.count_communities(graph) == 3
    assert spectral.best_naming(spectral.bethe_communities(graph, 3), groups) > 0.9
    assert spectral.best_naming(spectral.spectral_communities(graph, 3), groups) > 0.9
    assert spectral.shuffled_control(groups, groups, generator) < 0.45
    noise = block_model(300, rates_of(12.0, 0.0, 3), generator)[0]
    assert spectral.count_communities(noise) == 1
    with pytest.raises(ValueError, match="6 nodes have no edge"):
        spectral.bethe_hessian(torch.zeros(6, 6))
    with pytest.raises(ValueError, match="undirected"):
        spectral.bethe_hessian(torch.tensor([[0.0, 1], [0, 0]]))
    with pytest.raises(ValueError, match="3 nodes needs a community, got 2"):
        spectral.best_naming([0, 1], [0, 1, 1])


def test_names_do_not_count_and_each_is_given_once(part):
    naming = part("spectral_communities").best_naming
    assert naming([2, 2, 0, 0], [0, 0, 1, 1]) == 1
    assert naming([0, 1, 2, 3], [0, 0, 1, 1]) == 0.5
    assert naming([0, 0, 0, 0], [0, 0, 0, 1]) == 0.75


def test_dmons_loss_is_that_of_pytorch_geometric(part, generator):
    soft = part("soft_communities")
    graph, labels = block_model(80, rates_of(5.0, 1.5, 3), generator)
    torch.manual_seed(0)
    pool, features = DMoNPooling(4, 3), torch.randn(80, 4)
    assignment, _, _, spectral, _, cluster = pool(features, adjacency_matrix(graph).float())
    assert -soft.soft_modularity(assignment[0], graph).item() == pytest.approx(spectral.item(), abs=1e-6)
    assert soft.collapse(assignment[0]).item() == pytest.approx(cluster.item(), abs=1e-6)
    hard = torch.nn.functional.one_hot(labels, 3).float()
    assert soft.soft_modularity(hard, graph).item() == pytest.approx(
        part("modularity").modularity(graph, labels.tolist())
    )
    assert soft.collapse(torch.full((80, 3), 1 / 3)).item() == pytest.approx(0, abs=1e-6)
    everything = torch.zeros(80, 3).index_fill(1, torch.tensor([1]), 1.0)
    assert soft.collapse(everything).item() == pytest.approx(math.sqrt(3) - 1)


def test_every_parameter_of_the_network_moves_and_strong_groups_are_found(part, generator):
    soft = part("soft_communities")
    graph, labels = block_model(200, rates_of(6.0, 2.2, 2), generator)
    torch.manual_seed(0)
    model = soft.SoftCommunities(200, 2)
    (soft.collapse(model(graph)) - soft.soft_modularity(model(graph), graph)).backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    found = soft.train_soft_communities(graph, 2, steps=60)
    assert part("spectral_communities").best_naming(found, labels.tolist()) > 0.9


def test_modularity_is_high_where_there_are_no_groups(load_sprint):
    script = load_sprint(f"{FOLDER}/finding_communities.py")
    config = script.Config(nodes=200, signals=(0.1, 2.1), steps=60, seeds=(0, 1))
    results = script.main(config)
    weak, strong = (place for place in (0, 1))
    assert results.modularity_of_their_own["Leiden"][weak][0] > 0.35
    assert results.modularity["the true groups"][weak][0] < 0.1
    for name, values in results.accuracy.items():
        assert values[weak][0] < 0.65, name
        assert values[strong][0] > 0.8, name
    assert results.in_pieces["Leiden"] == 0
    assert len(script.plot(results).axes) == 2
    with pytest.raises(ValueError, match="more --nodes"):
        script.Config(nodes=4, signals=(2.1,)).check()


def test_exercise_i_a_bridge_that_leaves():
    assert (6 - 10 * 40 / 400, 4 - 10 * 60 / 400) == (5, 2.5)
    assert pytest.approx(0.005) == 2 * 20 * 20 / 400**2


def test_note_8_two_triangles(part):
    graph = Graph.undirected([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)], 6)
    assert f"{part('modularity').modularity(graph, [0, 0, 0, 1, 1, 1]):.3f}" == "0.357"
