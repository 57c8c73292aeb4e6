"""Sprint 17's claims, at a small size."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.sparse.csgraph import shortest_path
from torch_geometric.datasets import KarateClub

from shared.graph.graphs import Graph, adjacency_matrix
from shared.graph.node_data import NodeData
from shared.graph.planetoid import load_planetoid
from shared.lab.datasets import VARIABLE, DataError
from shared.training.loop import NonFiniteTraining

FOLDER = "17_gnn"


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def part(load_sprint: Callable[[str], ModuleType]) -> Callable[[str], ModuleType]:
    """Return a module of the sprint's package."""
    return lambda name: load_sprint(f"{FOLDER}/graph_study/{name}.py")


# The layer three ways


def test_three_ways_agree_on_odd_graphs(load_sprint):
    script = load_sprint(f"{FOLDER}/gcn_three_ways.py")
    results = script.main(script.Config(nodes=(20, 40), degree=3, repeats=2, device="cpu"))
    assert max(results.odd_graphs.values()) < 1e-12
    assert len(results.odd_graphs) == 6
    assert max(max(gaps) for size in results.sizes for gaps in size.differences.values()) < 1e-12
    root = 1 / math.sqrt(6)
    assert results.by_hand == [
        pytest.approx(row, abs=1e-4) for row in ([1 / 2, root, 0], [root, 1 / 3, root], [0, root, 1 / 2])
    ]
    assert results.sizes[1].megabytes["dense matrix"] == pytest.approx(4 * 40 * 40 / 1e6)


# The karate club


def test_two_labels_tell_the_factions(load_sprint):
    script = load_sprint(f"{FOLDER}/karate_club.py")
    config = script.Config(seeds=(0, 1), device="cpu")
    results = script.main(config)
    assert results.each["GCN"] == [31 / 32, 31 / 32]
    assert results.errors == {"8": 2}, "he who stayed for his black belt"
    assert max(results.each["untrained, nearest label"]) < 31 / 32
    assert results.four_class_ceiling == 23 / 32
    assert results.baselines["the larger faction"] == 0.5
    short = replace(config, steps=20)
    assert script.main(short) == script.main(short), "same seed, same results"


def test_the_club_is_the_one_in_circulation(part):
    karate, theirs = part("karate"), KarateClub(transform=None)[0]
    assert torch.equal(karate.communities(), theirs.y)
    ours = karate.karate_graph()
    assert {*zip(*ours.edge_index.tolist(), strict=True)} == {*zip(*theirs.edge_index.tolist(), strict=True)}


def test_without_edges_an_unlabelled_member_is_anybodys_guess(part):
    karate, networks = part("karate"), part("node_networks")
    data = karate.factions(Graph(torch.zeros(2, 0, dtype=torch.long), 34))
    torch.manual_seed(0)
    model = karate.karate_network(34, 16)
    list(karate.train_on_two_labels(model, data, 100, 0.01))
    assert networks.accuracy(networks.predict(model, data), data, data.train_mask) == 1
    assert networks.accuracy(networks.predict(model, data), data, data.test_mask) < 0.75


# Networks for nodes


@pytest.fixture
def small(part, generator):
    """Return a drawn citation network of 800 papers."""
    return part("citations").draw_citations(generator, num_nodes=800)


@pytest.mark.parametrize("name", ["GCN", "GAT", "MLP"])
def test_networks_learn_and_every_parameter_moves(part, small, name: str):
    networks = part("node_networks")
    torch.manual_seed(0)
    model = networks.NETWORKS[name](small.data.features.shape[1], small.data.num_classes)
    before = {key: value.clone() for key, value in model.named_parameters()}
    steps = list(networks.train_network(model, small.data, steps=30, learning_rate=0.01, weight_decay=5e-4))
    assert steps[-1][1] < steps[0][1]
    assert all((value != before[key]).any() for key, value in model.named_parameters())


def test_the_model_that_is_kept_is_the_best_on_validation(part, small):
    networks = part("node_networks")
    torch.manual_seed(0)
    model = networks.gcn(small.data.features.shape[1], small.data.num_classes)
    settings = {"steps": 400, "learning_rate": 0.05, "weight_decay": 0.0, "patience": 20}
    steps = list(networks.train_network(model, small.data, **settings))
    assert len(steps) < 400, "patience ends it"
    kept = networks.accuracy(networks.predict(model, small.data), small.data, small.data.val_mask)
    assert kept >= steps[-1][2]
    assert kept in [val_accuracy for _, _, val_accuracy in steps]


def test_sparse_dropout_drops_the_same_share_and_keeps_zeros(part):
    networks = part("node_networks")
    torch.manual_seed(0)
    dense = (torch.rand(300, 200) < 0.1).float()
    model = networks.gcn(200, 3, dropout=0.4)
    dropped = model.train()._drop(dense.to_sparse()).to_dense()
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / 0.6])
    assert (dropped > 0).sum().item() / dense.sum().item() == pytest.approx(0.6, abs=0.02)
    assert not dropped[dense == 0].any()
    assert torch.equal(model.eval()._drop(dense.to_sparse()).to_dense(), dense)


def test_training_labels_are_those_of_the_mask(small):
    rows, labelled = small.data.training_labels()
    assert rows.shape == (140, 7)
    assert small.data.train_mask[labelled].all()
    assert torch.equal(rows.argmax(dim=1), small.data.labels[labelled])
    assert (rows.sum(dim=1) == 1).all()


def test_labels_that_do_not_fit_are_refused(part):
    networks = part("node_networks")
    graph = Graph.undirected([(0, 1)], 2)
    networks.check_labels([0, 1], [1, 0], graph, 2)
    with pytest.raises(ValueError, match="nodes from 0 to 1; node 2 has the label 0"):
        networks.check_labels([0, 2], [0, 0], graph, 2)
    with pytest.raises(ValueError, match="from 0 to 1; node 1 has 2"):
        networks.check_labels([0, 1], [0, 2], graph, 2)
    nothing = torch.zeros(2, dtype=torch.bool)
    data = NodeData(graph, torch.eye(2), torch.tensor([0, 1]), 2, nothing, ~nothing, ~nothing)
    with pytest.raises(ValueError, match="one is empty"):
        next(networks.train_network(networks.mlp(2, 2), data, steps=1, learning_rate=0.1, weight_decay=0.0))


def test_a_training_that_diverges_is_stopped_and_says_so(part, small):
    networks, karate = part("node_networks"), part("karate")
    club = karate.factions(karate.karate_graph())
    one, other = networks.mlp(small.data.features.shape[1], small.data.num_classes), karate.karate_network(34, 4)
    for model in (one, other):
        torch.nn.init.constant_(next(model.parameters()), torch.inf)
    for training in (
        networks.train_network(one, small.data, steps=5, learning_rate=0.1, weight_decay=0.0),
        karate.train_on_two_labels(other, club, 5, 0.1),
    ):
        with pytest.raises(NonFiniteTraining, match="the loss of step 1 is nan"):
            list(training)


def test_edges_help_and_the_optimum_is_above_all(load_sprint):
    script = load_sprint(f"{FOLDER}/node_classification.py")
    config = script.Config(networks=("GCN", "MLP"), steps=80, seeds=(0,), device="cpu")
    results = script.main(config)
    scores = {name: mean for name, (mean, _) in results.test.items()}
    assert scores["the largest class of training"] < 0.3 < scores["label propagation"]
    assert scores["the largest class of training"] + 0.1 < scores["label spreading"]
    assert scores["MLP"] + 0.1 < scores["GCN"] < scores["optimum"]
    assert scores["optimum, words alone"] < scores["optimum"]
    short = replace(config, steps=10)
    assert script.main(short) == script.main(short), "same seed, same results"


# Block models


def test_signals_below_the_threshold_cannot_be_found(load_sprint):
    script = load_sprint(f"{FOLDER}/detectability.py")
    config = script.Config(nodes=400, signals=(0.3, 1.8), seeds=(0,), steps=30, labelled=0.1, device="cpu")
    results = script.main(config)
    for name, ((weak, _), (strong, _)) in results.without_labels.items():
        assert weak < 0.65, name
        assert strong > 0.85, name
    best = results.with_labels["belief propagation"]
    assert all(best[1][0] >= values[1][0] for values in results.with_labels.values())
    assert script.main(config) == results, "same seed, same results"


def test_depth_smooths_and_a_restart_does_not(load_sprint):
    script = load_sprint(f"{FOLDER}/over_smoothing.py")
    restart = "MLP, then averages with restart"
    config = script.Config(depths=(2, 12), networks=("GCN", restart), steps=20, device="cpu")
    results = script.main(config)
    shallow, deep = results.spread_untrained["GCN"]
    assert deep[0] < shallow[0] / 2
    assert results.spread_untrained[restart][1][0] > deep[0]
    assert results.test["GCN"][1][0] < 0.4 < results.test[restart][1][0]


def test_averages_approach_the_closed_form(load_sprint):
    script = load_sprint(f"{FOLDER}/over_smoothing.py")
    graph = Graph.undirected([(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)], 5)
    features = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    matrix = adjacency_matrix(graph.gcn_normalised).float()
    closed = 0.1 * torch.linalg.inv(torch.eye(5) - 0.9 * matrix) @ features
    torch.testing.assert_close(script.Averages(300, 0.1)(features, graph), closed, atol=1e-5, rtol=1e-4)


# Published graphs


def test_a_pickle_of_molecules_that_runs_something_is_refused_before_it_does(part, tmp_path: Path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    target, path = tmp_path / "ran", tmp_path / "zinc12k" / "raw" / "test.pickle"
    path.parent.mkdir(parents=True)
    path.with_suffix(".index").write_text("0\n")
    path.write_bytes(f"cposix\nsystem\n(S'touch {target}'\ntR.".encode())
    with pytest.raises(ValueError, match=r"test\.pickle is no pickle of this data"):
        part("zinc12k").published("test")
    assert not target.exists()


@pytest.fixture
def cora():
    try:
        return load_planetoid("cora")
    except DataError:
        pytest.skip(f"Cora is not there: set {VARIABLE} to a folder that holds planetoid/")


def test_papers_of_cora_that_are_six_citations_apart(cora):
    """Note 7: more than half of all joined pairs are at most six apart; one in seven at six has the same subject."""
    steps = shortest_path(adjacency_matrix(cora.graph).numpy(), unweighted=True)
    pairs = np.isfinite(steps) & (steps > 0)
    assert 0.5 < (steps[pairs] <= 6).mean() < 0.6
    same = (cora.labels[:, None] == cora.labels).numpy()
    assert same[steps == 6].mean() == pytest.approx(1 / 7, abs=0.01)


def test_gcn_learns_cora(part, cora):
    networks = part("node_networks")
    torch.manual_seed(0)
    model = networks.gcn(1433, 7)
    list(networks.train_network(model, cora, steps=60, learning_rate=0.02, weight_decay=5e-4))
    assert networks.accuracy(networks.predict(model, cora), cora, cora.test_mask) > 0.75


def test_the_example_and_ours_give_the_same_logits(load_sprint):
    script = load_sprint(f"{FOLDER}/benchmark.py")
    results = script.main(script.Config(repeats=3, device="cpu"))
    assert results.difference < 1e-5
    assert results.share_of_features < 0.05
    assert len(results.milliseconds) == 3


# Embeddings and clusters


def test_embeddings_are_clustered_and_scored(load_sprint, monkeypatch):
    script = load_sprint(f"{FOLDER}/cluster_embeddings.py")
    # UMAP compiles for ten seconds and t-SNE takes one a picture; PCA stands for both.
    whole = script.reductions
    monkeypatch.setattr(script, "reductions", lambda *given: {name: whole(*given)[name] for name in ("none", "PCA")})
    config = script.Config(seeds=(0, 1), device="cpu")
    results = script.main(config)
    assert set(results.ari) == {"factions", "communities"}
    assert results.ari["factions"]["labels"]["none"][0] > 0.7
    assert results.ari["factions"]["edges"]["none"][0] > 0.6
    assert results.graph_ari["communities"]["Louvain"][0] > 0.7
    assert all(0 <= value[0] <= 1 for ways in results.trustworthiness.values() for value in ways.values())
    assert results.stability["none"] == 1
    assert np.shape(results.points["labels"]["PCA"]) == (34, 2)


def test_training_on_edges_finds_edges(part, generator):
    embedding, karate, networks = part("node_embeddings"), part("karate"), part("node_networks")
    data = karate.factions(karate.karate_graph())
    torch.manual_seed(0)
    model = networks.gcn(34, 16, hidden=32, dropout=0.0)
    embedding.train_on_edges(model, data, 100, generator)
    embeddings = model.eval()(data.features, data.graph)
    pairs = torch.triu_indices(34, 34, 1)
    logits, there = embedding.edge_logits(embeddings, pairs), adjacency_matrix(data.graph)[pairs[0], pairs[1]] > 0
    above = (logits[there][:, None] > logits[~there]).double().mean().item()  # the area under the ROC curve
    assert above > 0.85
