"""The answers that the exercises of sprint 17 give on paper, and the numbers that its notes work out by hand."""

import itertools
import math
import re
from collections.abc import Callable
from types import ModuleType

import networkx as nx
import numpy as np
import pytest
import torch
from lesson_texts import lesson_texts
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from shared.graph import motif_graphs as motifs
from shared.graph.block_models import rates_of
from shared.graph.graphs import Graph, adjacency_matrix
from shared.graph.label_propagation import label_propagation, label_spreading
from shared.graph.message_passing import propagate, scatter_softmax
from shared.graph.structural_features import return_probabilities

SPRINT = "17_gnn"
PAGE, note = lesson_texts(SPRINT)
FOUR_NODES = Graph.undirected([(0, 1), (0, 2), (1, 2), (2, 3)], 4)
VALUES = torch.tensor([1.0, 2, 3, 6])


@pytest.fixture
def part(load_sprint: Callable[[str], ModuleType]) -> Callable[[str], ModuleType]:
    return lambda name: load_sprint(f"{SPRINT}/{name}.py")


def matrix(graph: Graph) -> torch.Tensor:
    return adjacency_matrix(graph.gcn_normalised)


# On paper


def test_a_star():
    graph = Graph.undirected([(0, 1), (0, 2), (0, 3)], 4)
    held = torch.tensor([6.0, 0, 3, 9])[:, None]
    assert propagate(held, graph.edge_index)[:, 0].tolist() == [12, 6, 6, 6]
    held = held.double()[:, 0]
    after = matrix(graph) @ held
    assert f"1.5 + {12 / math.sqrt(8):.3f} = {after[0]:.2f}" in PAGE
    assert f"6/√8 = {after[1]:.2f}" in PAGE
    means = adjacency_matrix(graph.with_self_loops)
    means = (means / means.sum(1, keepdim=True)) @ held
    assert means[:2].tolist() == [4.5, 3]


def test_labels_in_a_row():
    path = [(node, node + 1) for node in range(5)]
    labels, known = torch.tensor([[1.0], [0.0]]), torch.tensor([0, 5])
    found = label_propagation(Graph.undirected(path, 6), labels, known, rounds=500)
    assert "1, 0.8, 0.6, 0.4, 0.2, 0 (each" in PAGE
    torch.testing.assert_close(found[:, 0], torch.tensor([1, 0.8, 0.6, 0.4, 0.2, 0]))
    more = label_propagation(Graph.undirected([*path, (1, 6)], 7), labels, known, rounds=500)
    torch.testing.assert_close(more[:, 0], torch.tensor([1, 0.8, 0.6, 0.4, 0.2, 0, 0.8]))


def test_colours_of_paths_and_a_star(part):
    refinement = part("graph_study/colour_refinement")
    path, star = Graph.undirected([(0, 1), (1, 2), (2, 3)], 4), Graph.undirected([(0, 1), (0, 2), (0, 3)], 4)
    counts = [refinement.colour_counts([path, star], rounds) for rounds in (0, 1)]
    assert [first == second for first, second in counts] == [True, False]
    five = Graph.undirected([(node, node + 1) for node in range(4)], 5)
    assert [len(set(refinement.colour_refinement(five, rounds).tolist())) for rounds in (0, 1, 2, 3)] == [1, 2, 3, 3]


def test_parameters_and_multiplications(part):
    model = part("graph_study/node_networks").gcn(1433, 7)
    assert f"= {sum(parameter.numel() for parameter in model.parameters()):,}" in PAGE
    assert f"{2708 * 18 * 16 / 1e3:.0f} thousand for W" in PAGE
    assert f"{2708 * 5 * 16 / 1e3:.0f} thousand for the messages" in PAGE
    assert f"{2708 * 90 * 17 / 1e6:.1f} million" in PAGE


# By hand in the notes


def test_note_1_what_four_nodes_receive():
    received = propagate(VALUES[:, None], FOUR_NODES.edge_index)
    assert received[:, 0].tolist() == [5, 4, 9, 3]
    assert propagate(received, FOUR_NODES.edge_index)[3].item() == 9
    assert all(f" = {total}." in note(1) for total in (5, 4, 9))


def test_note_2_the_matrix_its_eigenvalues_and_degrees_without_loops():
    normalised = matrix(FOUR_NODES)
    after = normalised @ VALUES.double()
    assert f"= {after[3]:.2f}$" in note(2)
    assert f"= {after[0]:.2f}$" in note(2)
    eigenvalues = torch.linalg.eigvalsh(normalised).flip(0)
    assert f"1, {eigenvalues[1]:.3f}, 0 and −{-eigenvalues[3]:.3f}" in note(2)
    sums = torch.linalg.matrix_power(adjacency_matrix(FOUR_NODES), 4) @ VALUES.double()
    assert sums.tolist() == [61, 62, 63, 36]
    assert (torch.linalg.matrix_power(adjacency_matrix(FOUR_NODES), 8) @ VALUES.double()).max() == 1503
    loops = adjacency_matrix(FOUR_NODES.with_self_loops)
    root = adjacency_matrix(FOUR_NODES).sum(dim=1).rsqrt()
    largest = torch.linalg.eigvalsh(root[:, None] * loops * root).max()
    assert f"the four nodes it is {largest:.2f}" in note(2)


def test_note_2_no_graph_breaks_the_bound_and_the_identity_of_the_proof_holds():
    generator = np.random.default_rng(0)
    for _ in range(1000):
        count = int(generator.integers(2, 12))
        weights = np.triu(generator.uniform(0, 3, (count, count)) * (generator.uniform(size=(count, count)) < 0.4), 1)
        loops = weights + weights.T + np.eye(count)
        degrees = loops.sum(axis=1)
        normalised = loops / np.sqrt(np.outer(degrees, degrees))
        eigenvalues = np.linalg.eigvalsh(normalised)
        assert eigenvalues.min() > -1
        assert eigenvalues.max() == pytest.approx(1)
        np.testing.assert_allclose(normalised @ np.sqrt(degrees), np.sqrt(degrees))
        signal = generator.normal(size=count)
        scaled = signal / np.sqrt(degrees)
        changes = sum(weights[i, j] * (scaled[i] - scaled[j]) ** 2 for i, j in itertools.combinations(range(count), 2))
        assert changes == pytest.approx(signal @ signal - signal @ normalised @ signal)
        sums = sum(weights[i, j] * (scaled[i] + scaled[j]) ** 2 for i, j in itertools.combinations(range(count), 2))
        expected = signal @ signal + signal @ normalised @ signal - 2 * (scaled**2).sum()
        assert sums == pytest.approx(expected)


def test_note_3_labels_of_four_nodes():
    labels, known = torch.tensor([[1.0], [0.0]]), torch.tensor([0, 3])
    steps = [label_propagation(FOUR_NODES, labels, known, rounds)[1:3, 0].tolist() for rounds in (1, 2, 200)]
    assert steps[0] == pytest.approx([0.75, 0.5])
    assert steps[1] == pytest.approx([0.75, 0.583], abs=1e-3)
    assert steps[2] == pytest.approx([0.8, 0.6])
    assert "c = 0.6$ and $b = 0.8" in note(3)


def test_note_3_label_spreading_is_wrong_about_the_same_member(part):
    karate = part("graph_study/karate")
    data = karate.factions(karate.karate_graph())
    wrong = label_spreading(data.graph, *data.training_labels()).argmax(dim=1) != data.labels
    assert wrong.nonzero().flatten().tolist() == [8]
    source, target = data.graph.edge_index
    assert data.labels[target[source == 8]].tolist().count(1) == 3, "three of his five friends were on the other side"


def test_note_4_attention_of_one_node():
    scores, target = torch.tensor([0.5, 1, 1.5, 3]), torch.zeros(4, dtype=torch.long)
    weights = scatter_softmax(scores, target, 1)
    assert ", ".join(f"{weight:.3f}" for weight in weights[:3]) + f" and {weights[3]:.3f}" in note(4)
    assert f"· 6 = {(weights @ VALUES).item():.2f}" in note(4)
    assert f"together {scores.exp().sum():.2f}" in note(4)


def test_note_5_a_path_and_a_tail():
    path = adjacency_matrix(Graph.undirected([(0, 1), (1, 2)], 3))
    laplacian = torch.diag(path.sum(1)) - path
    signal = torch.tensor([1.0, 2, 4], dtype=torch.double)
    assert (laplacian @ signal).tolist() == [-1, -1, 2]
    assert signal @ laplacian @ signal == 5
    for eigenvalue, wave in ((0, (1, 1, 1)), (1, (1, 0, -1)), (3, (1, -2, 1))):
        vector = torch.tensor(wave, dtype=torch.double)
        assert torch.equal(laplacian @ vector, eigenvalue * vector)
    # Two nodes that hang on a clique of ten.
    graph = nx.complete_graph(10)
    graph.add_edges_from([(0, 10), (10, 11)])
    on_tail = np.array([0.0] * 10 + [1.0] * 2)
    changes = sum((on_tail[one] - on_tail[other]) ** 2 for one, other in graph.edges)
    assert changes / sum(degree * on_tail[node] ** 2 for node, degree in graph.degree) == pytest.approx(1 / 3)
    assert f"{4 * 0.254 / 2:.2f}" == "0.51"


def test_note_6_rates_and_beliefs():
    rates = rates_of(5.0, 1.1, 2)
    assert f"{rates.inside:.2f}" == "7.46"
    assert f"{rates.outside:.2f}" == "2.54"
    same = rates.inside / 10
    beliefs = (f"{same:.3f}", f"{same**2 + (1 - same) ** 2:.3f}", f"{same**2 / (same**2 + (1 - same) ** 2):.3f}")
    assert beliefs == ("0.746", "0.621", "0.896")
    assert all(belief in note(6) for belief in beliefs)
    assert f"{1.1 / math.sqrt(5):.3f}" == "0.492"
    four = rates_of(5.0, 1.1, 4)
    assert f"{four.inside:.2f} / 20 = {four.inside / 20:.3f}" in note(6)
    # A random split of 1,000 nodes, named favourably: 1/2 + the mean of |binomial - 500| / 1,000.
    assert f"{0.5 + math.sqrt(2 / math.pi) / (2 * math.sqrt(1000)):.1%}" == "51.3%"
    assert "51.3 %" in note(6)


def test_note_7_two_triangles_and_the_share_that_is_kept(part):
    script = part("averages_of_averages")
    graph = Graph.undirected(script.PAIRS, 6)
    after = matrix(graph) @ torch.tensor(script.START, dtype=torch.double)
    assert [f"{value:.3f}" for value in after[[0, 2]]] == ["0.955", "0.827"]
    assert after[3].item() == pytest.approx(0.25)
    assert "0.955" in note(7)
    assert "0.827" in note(7)
    share = [0.1 / (0.1 + 0.9 * eigenvalue) for eigenvalue in (0.05, 1)]
    assert f"keeps {share[0]:.0%}".replace("%", " %") in note(7)
    assert f"keeps {share[1]:.0%}".replace("%", " %") in note(7)
    closed = 0.1 * torch.linalg.inv(torch.eye(6).double() - 0.9 * matrix(graph))
    eigenvalues = torch.linalg.eigvalsh(torch.eye(6).double() - matrix(graph))
    torch.testing.assert_close(torch.linalg.eigvalsh(closed), (0.1 / (0.1 + 0.9 * eigenvalues)).flip(0))


def test_note_8_the_table_of_sums_means_and_maxima():
    sizes = {"red": (1.0, 0.0), "green": (0.0, 1.0)}
    rows = {
        ("rr", "rrr"): (True, False, False),
        ("rg", "rgg"): (True, True, False),
        ("rg", "rrgg"): (True, False, False),
    }
    for (first, second), differs in rows.items():
        one, other = (np.array([sizes["red" if word == "r" else "green"] for word in text]) for text in (first, second))
        ways = (np.sum, np.mean, np.max)
        assert tuple(not np.allclose(way(one, axis=0), way(other, axis=0)) for way in ways) == differs
    assert "never told apart" in note(8)


def test_note_8_a_graph_convolution_is_one_round_ahead(part):
    script = part("graph_study/colour_refinement")
    ring = [(node, (node + 1) % 6) for node in range(6)]
    triangles = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)]
    graphs = [Graph.undirected([*pairs, (0, 6)], 7) for pairs in (ring, triangles)]
    two, three = (script.colour_counts(graphs, rounds) for rounds in (2, 3))
    assert two[0] == two[1]
    assert three[0] != three[1]
    # One layer already parts nodes whose colours part in round 2; two layers part the graphs, which takes three rounds.
    once = [matrix(graph).double().sum(dim=1) for graph in graphs]
    twice = [matrix(graph).double() @ values for graph, values in zip(graphs, once, strict=True)]
    torch.testing.assert_close(*(values.sort().values for values in once))
    assert once[0][1] == pytest.approx(0.955, abs=5e-4)
    assert once[0][2] == pytest.approx(1)
    assert (twice[0].sort().values - twice[1].sort().values).abs().max() > 0.005
    assert "$t + 1$ rounds" in note(8)


def test_note_9_return_probabilities():
    triangle, hexagon = (Graph.undirected([(node, (node + 1) % size) for node in range(size)], size) for size in (3, 6))
    for graph, third in ((triangle, 0.25), (hexagon, 0.0)):
        after = return_probabilities(graph)[0].tolist()
        assert any(value == pytest.approx(0.5) for value in after[:2])
        power = torch.linalg.matrix_power(adjacency_matrix(graph) / 2, 3)
        assert power[0, 0].item() == pytest.approx(third)
    assert f"= {(1 + 1 / 2 + 1 / 4) / 3:.3f}" in note(9)


def test_note_9_what_the_rooks_graph_and_shrikhandes_share():
    graphs = []
    for steps in (motifs.ROOK, motifs.SHRIKHANDE):
        graph = nx.Graph(motifs.sixteen_nodes(steps).edge_index.T.tolist())
        assert set(dict(graph.degree).values()) == {6}
        pairs = itertools.combinations(graph, 2)
        assert {len(list(nx.common_neighbors(graph, *pair))) for pair in pairs} == {2}
        assert set(nx.triangles(graph).values()) == {6}
        graphs.append(graph)
    assert [max(map(len, nx.find_cliques(graph))) for graph in graphs] == [4, 3]


def test_note_10_ethanol():
    chem = pytest.importorskip("rdkit.Chem")
    crippen = pytest.importorskip("rdkit.Chem.rdMolDescriptors")
    molecule = chem.AddHs(chem.MolFromSmiles("CCO"))
    parts = [first for first, _ in crippen._CalcCrippenContribs(molecule)]
    assert parts == pytest.approx([0.1441, -0.2035, -0.2893, *[0.123] * 5, -0.2677])
    assert f"{sum(parts):.4f}".replace("-", "−") in note(10)


def test_note_11_the_adjusted_rand_index():
    known = [0, 0, 0, 1, 1, 1]
    assert f"= {adjusted_rand_score(known, [0, 0, 1, 1, 1, 1]):.2f}" in note(11)
    assert adjusted_rand_score(known, [0] * 6) == 0


def test_note_12_what_friends_say():
    same = 0.42 / 0.5
    assert f"{same:.2f}" == "0.84"
    assert f"= {same**2 / (same**2 + (1 - same) ** 2):.3f}$" in note(12)
    assert f"= {same**2 + (1 - same) ** 2:.3f}$" in note(12)


def test_note_13_scores_of_edges():
    assert f"= {1 / (1 + math.exp(-1)):.2f}$" in note(13)
    assert roc_auc_score([1, 1, 0, 0], [3, 1, 2, 0]) == 0.75
    assert roc_auc_score([1, 1, 0, 0], [2, 2, 2, 0]) == 0.75


# The pages


def test_the_reader_finds_his_way_from_note_to_note():
    for number in range(1, 13):
        assert re.search(rf"\]\({number + 1:02}_\w+\.md\)", note(number)), f"note {number} names the next one"
        assert "Check yourself" in note(number)
