"""Scores of missing links: equal to networkx's, what a score can be, wrong pairs, and edges that must not be seen."""

import networkx as nx
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from shared.graph.block_models import rates_of
from shared.graph.graphs import Graph

SPRINT = "27_graphs_downstream"


@pytest.fixture
def heuristics(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/heuristics.py")


@pytest.fixture
def scores(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/link_scores.py")


def two_forms(seed: int, nodes: int = 24) -> tuple[nx.Graph, Graph, torch.Tensor]:
    """Return a random graph as networkx has it and as we have it, and all pairs; its last node has no edge."""
    theirs = nx.gnp_random_graph(nodes - 1, 0.15, seed=seed)
    theirs.add_node(nodes - 1)
    ours = Graph.undirected(torch.tensor(list(theirs.edges)), nodes)
    return theirs, ours, torch.combinations(torch.arange(nodes))


@pytest.mark.parametrize("seed", range(3))
def test_heuristics_are_those_of_networkx(heuristics, seed):
    theirs, ours, pairs = two_forms(seed)
    listed = [tuple(pair) for pair in pairs.tolist()]
    expected = {
        "common_neighbours": [len(list(nx.common_neighbors(theirs, *pair))) for pair in listed],
        "adamic_adar": [value for _, _, value in nx.adamic_adar_index(theirs, listed)],
        "resource_allocation": [value for _, _, value in nx.resource_allocation_index(theirs, listed)],
        "preferential_attachment": [value for _, _, value in nx.preferential_attachment(theirs, listed)],
    }
    walks = {node: nx.pagerank(theirs, personalization={node: 1}, tol=1e-13, max_iter=2000) for node in theirs}
    expected["personalised_pagerank"] = [walks[one][other] + walks[other][one] for one, other in listed]
    for name, values in expected.items():
        found = getattr(heuristics, name)(ours, pairs)
        torch.testing.assert_close(found, torch.tensor(values, dtype=torch.float64), rtol=1e-9, atol=1e-9, msg=name)


def test_katz_counts_walks(heuristics):
    theirs, ours, pairs = two_forms(5)
    adjacency = torch.tensor(nx.to_numpy_array(theirs, nodelist=range(24)))
    beta = 0.05
    total, power = torch.zeros(24, 24, dtype=torch.float64), torch.eye(24, dtype=torch.float64)
    for _ in range(200):
        power = beta * power @ adjacency
        total += power
    torch.testing.assert_close(heuristics.katz(ours, pairs, beta), total[pairs[:, 0], pairs[:, 1]])
    with pytest.raises(ValueError, match="largest eigenvalue"):
        heuristics.katz(ours, pairs, 1.0)


def test_loops_and_one_way_edges_are_refused(heuristics):
    pairs = torch.tensor([[0, 1]])
    with pytest.raises(ValueError, match="node 1 is joined to itself"):
        heuristics.adamic_adar(Graph.undirected([(0, 1), (1, 1)], 3), pairs)
    with pytest.raises(ValueError, match="both directions"):
        heuristics.common_neighbours(Graph(torch.tensor([[0], [1]]), 3), pairs)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.lists(st.integers(0, 4), min_size=1, max_size=8))
def test_auc_is_the_share_of_couples_and_that_of_scikit_learn(scores, right, wrong):
    found = scores.auc(torch.tensor(right).double(), torch.tensor(wrong).double())
    couples = [(one > other) + 0.5 * (one == other) for one in right for other in wrong]
    assert found == pytest.approx(sum(couples) / len(couples))
    assert found == pytest.approx(roc_auc_score([1] * len(right) + [0] * len(wrong), right + wrong))


def test_hits_need_enough_wrong_pairs(scores):
    right, wrong = torch.tensor([5.0, 3.0, 1.0]), torch.tensor([4.0, 2.0, 2.0])
    assert scores.hits_at(right, wrong, 1) == pytest.approx(1 / 3)
    assert scores.hits_at(right, wrong, 2) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="Hits@4 needs at least 4 wrong pairs"):
        scores.hits_at(right, wrong, 4)


def test_hidden_edges_go_in_both_directions_and_wrong_pairs_are_no_edges(scores):
    _, graph, _ = two_forms(1)
    generator = torch.Generator().manual_seed(0)
    seen, hidden = scores.hide_edges(graph, 0.3, generator)
    left = {tuple(pair) for pair in seen.edge_index.T.tolist()}
    for one, other in hidden.tolist():
        assert not {(one, other), (other, one)} & left
    assert len(left) + 2 * len(hidden) == graph.num_edges
    wrong = scores.draw_unlinked(graph, 100, generator)
    assert len({tuple(pair) for pair in wrong.tolist()}) == 100
    assert not {tuple(pair) for pair in wrong.tolist()} & {tuple(pair) for pair in graph.edge_index.T.tolist()}
    with pytest.raises(ValueError, match="pairs of these 24 nodes are not linked"):
        scores.draw_unlinked(graph, 1000, generator)
    with pytest.raises(ValueError, match="some must be hidden and some left"):
        scores.hide_edges(graph, 1.0, generator)


def test_the_ceiling_is_what_oracles_reach(load_sprint):
    script = load_sprint(f"{SPRINT}/best_link_score.py")
    assert script.ceiling(rates_of(12.0, 0.0, 2)) == 0.5
    rates = rates_of(9.0, 3.0, 2)  # no edge between the groups
    assert script.ceiling(rates) == pytest.approx(0.75)
    config = script.Config(nodes=500, seeds=(0,))
    found = [script.scores_of(2.0, config, seed) for seed in range(3)]
    mean = sum(row[script.ORACLE] for row in found) / 3
    assert mean == pytest.approx(script.ceiling(rates_of(config.degree, 2.0, 2)), abs=0.03)
    assert all(max(row.values()) < mean + 0.06 for row in found)


def test_a_score_moves_with_its_own_edge_only_where_that_edge_carries_messages(load_sprint):
    script = load_sprint(f"{SPRINT}/leaky_edges.py")
    found = script.main(script.Config(nodes=120, steps=5, seeds=(0,)))
    honest, *leaks = (found.moved[name] for name in reversed(script.LEAKS))
    assert honest == 0
    assert min(leaks) > 0.01


def test_popular_wrong_pairs_take_the_product_of_degrees_away(load_sprint):
    script = load_sprint(f"{SPRINT}/which_wrong_pairs.py")
    aucs, hits, false = script.measure(script.Config(nodes=400), 0)
    assert aucs["random"]["product of degrees"] > 0.7
    assert aucs["as popular"]["product of degrees"] < 0.6
    assert aucs["random"][script.RATES] == max(aucs["random"].values())
    assert hits["10 for each edge"] < hits["1 for each edge"]
    assert 0 <= false < 0.2
    more = [script.measure(script.Config(nodes=400), seed)[0]["as popular"] for seed in (1, 2, 3)]
    rates, groups = (
        sum(row[name] for row in (aucs["as popular"], *more)) / 4 for name in (script.RATES, script.GROUPS)
    )
    assert groups > rates  # which score is best depends on the wrong pairs


def test_the_examples_of_notes_1_to_3(scores, load_sprint):
    script = load_sprint(f"{SPRINT}/scores_by_hand.py")
    found = script.main(script.Config())
    assert found.scores["common neighbours"] == [1, 1, 0, 0, 1, 0, 0, 1, 1]
    assert found.aucs["common neighbours"] == 0.75
    assert found.aucs["product of degrees"] == 0
    inside = 0.8
    assert 0.5 + 0.5 * (inside - 0.5) == pytest.approx(0.65)
    assert inside * 0.5 + 0.5 * (inside * 0.5 + (1 - inside) * 0.5) == pytest.approx(0.65)
    assert scores.auc(torch.tensor([4.0, 2.0]), torch.tensor([3.0, 2.0])) == 0.625
    assert found.scores["Adamic–Adar"][0] == pytest.approx(0.910, abs=5e-4)
    assert found.scores["product of degrees"][0] == min(found.scores["product of degrees"]) == 1
    ceiling = load_sprint(f"{SPRINT}/best_link_score.py").ceiling
    assert ceiling(rates_of(12.0, 3.0, 2)) == pytest.approx(0.717, abs=5e-4)
    share = 0.1
    assert (1 - share) * 0.8 + share * 0.5 == pytest.approx(0.77)


def test_two_kinds_of_opponents_by_hand(scores, heuristics):
    friends = [(popular, 3 + 4 * popular + number) for popular in range(3) for number in range(4)]
    graph = Graph.undirected(friends, 15)
    wrong = [pair for pair in torch.combinations(torch.arange(15)).tolist() if tuple(pair) not in {*friends, (0, 1)}]
    assert len(wrong) == 92
    right, against = (heuristics.preferential_attachment(graph, torch.tensor(pairs)) for pairs in ([[0, 1]], wrong))
    assert right.tolist() == [16]
    assert [int((against == value).sum()) for value in (1, 4, 16)] == [66, 24, 2]
    assert scores.auc(right, against) == pytest.approx(91 / 92)
    assert scores.hits_at(torch.tensor([9.0, 5, 3]), torch.tensor([8.0, 6, 4, 2]), 2) == pytest.approx(1 / 3)


def test_the_answers_on_paper(scores, heuristics):
    ceiling = 0.5 + 0.5 * (3 / 4 - 1 / 3)
    assert ceiling == pytest.approx(0.708, abs=5e-4)
    left = Graph.undirected([(0, other) for other in range(1, 9)], 10)
    wrong = torch.combinations(torch.arange(1, 10))
    right = heuristics.preferential_attachment(left, torch.tensor([[0, 9]]))
    assert scores.auc(right, heuristics.preferential_attachment(left, wrong)) == pytest.approx(4 / 36)
