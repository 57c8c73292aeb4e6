"""Words and edges of a node: the model of both, its beliefs, networks that read them, Debian's packages as nodes."""

import gzip
import itertools
import math

import pytest
import torch

from shared.graph.block_models import belief_propagation, rates_of
from shared.graph.graphs import Graph

SPRINT = "27_graphs_downstream"


@pytest.fixture
def contextual(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/contextual.py")


@pytest.fixture
def training(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/node_training.py")


def share(odds: torch.Tensor, groups: torch.Tensor) -> float:
    """Return the share that is right, by the better of both names of the groups."""
    right = ((odds > 0).long() == groups).double().mean().item()
    return max(right, 1 - right)


def test_on_edges_alone_the_belief_is_that_of_belief_propagation(contextual):
    rates = rates_of(8.0, 1.6, 2)
    drawn = contextual.contextual_block_model(300, 10, rates, 0.0, torch.Generator().manual_seed(0))
    known = torch.rand(300, generator=torch.Generator().manual_seed(1)) < 0.2
    odds = contextual.belief_of_both(drawn, rates, 0.0, torch.Generator().manual_seed(2), known=known)
    evidence = torch.zeros(300, 2).masked_fill((drawn.groups[:, None] != torch.arange(2)) & known[:, None], -math.inf)
    beliefs = belief_propagation(drawn.graph, rates, evidence, torch.Generator().manual_seed(3))
    assert (odds.sigmoid() - beliefs[:, 1])[~known].abs().mean() < 0.02  # that one keeps the groups equal otherwise


def test_on_words_alone_the_belief_is_the_posterior_of_all_groupings(contextual):
    """Ten nodes have 1,024 groupings; given one, each column is Gaussian, so the sum over all of them is exact."""
    nodes, columns, mu = 10, 400, 1.5
    agreements = []
    for seed in range(4):
        generator = torch.Generator().manual_seed(seed)
        drawn = contextual.contextual_block_model(nodes, columns, rates_of(4.0, 0.0, 2), mu, generator)
        spins = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=nodes)), dtype=torch.float64)
        heard = spins @ drawn.features.double()  # w ~ N(0, 1): log-likelihood is |heard|^2 mu / (2 n (1 + mu))
        weights = (heard.square().sum(dim=1) * mu / (2 * nodes * (1 + mu))).softmax(dim=0)
        first = spins * spins[:, :1]  # the sign of the first node is free
        exact = (weights[:, None] * first).sum(dim=0)
        odds = contextual.belief_of_both(drawn, rates_of(4.0, 0.0, 2), mu, torch.Generator().manual_seed(9))
        ours = torch.tanh(odds / 2) * odds[0].sign()
        agreements.append(torch.corrcoef(torch.stack([exact[1:], ours[1:]]))[0, 1].item())
    assert sum(agreements) / len(agreements) > 0.9


def test_two_signals_that_fail_alone_find_the_groups_together(contextual):
    strength, nodes, columns = 0.9, 1000, 250
    rates, mu = rates_of(10.0, strength**0.5, 2), (strength * nodes / columns) ** 0.5
    found = {"edges": [], "words": [], "both": []}
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        drawn = contextual.contextual_block_model(nodes, columns, rates, mu, generator)
        for name, (own, use) in {
            "edges": (rates, 0.0), "words": (rates_of(10.0, 0.0, 2), mu), "both": (rates, mu)
        }.items():  # fmt: skip
            odds = contextual.belief_of_both(drawn, own, use, torch.Generator().manual_seed(5), rounds=60)
            found[name].append(share(odds, drawn.groups))
    means = {name: sum(shares) / len(shares) for name, shares in found.items()}
    assert means["both"] > max(means["edges"], means["words"]) + 0.1


def test_a_model_of_other_than_two_groups_is_refused(contextual):
    with pytest.raises(ValueError, match="two groups"):
        contextual.contextual_block_model(30, 5, rates_of(4.0, 0.5, 3), 1.0, torch.Generator())
    with pytest.raises(ValueError, match="at least 0"):
        contextual.contextual_block_model(30, 5, rates_of(4.0, 0.5, 2), -1.0, torch.Generator())


def cliques(training, nodes: int = 24):
    """Return two cliques, which are two classes; features are noise."""
    labels = (torch.arange(nodes) >= nodes // 2).long()
    pairs = [pair for pair in itertools.combinations(range(nodes), 2) if labels[pair[0]] == labels[pair[1]]]
    parts = [torch.arange(nodes) % 3 == part for part in range(3)]
    features = torch.randn(nodes, 3, generator=torch.Generator().manual_seed(0))
    return training.Nodes(features, Graph.undirected(pairs, nodes), labels, *parts)


def test_labels_of_neighbours_help_and_ones_own_is_never_both_shown_and_asked(training):
    nodes = cliques(training)
    torch.manual_seed(0)
    model = training.WordsAndNeighbours(3 + 2, 16, 2, 0.0)
    seen = []
    model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][:, 3:].sum(dim=1).bool()))
    best = training.fit(
        model, nodes, steps=40, rate=0.02, decay=0.0, tell=True, generator=torch.Generator().manual_seed(1)
    )
    shown = seen[0]
    assert (shown & ~nodes.train).sum() == 0
    assert 0 < shown.sum() < nodes.train.sum()  # some are hidden, which are asked
    assert best > 0.9
    assert training.share_right(model, nodes, nodes.test, tell=True) > 0.85
    alone, _ = training.search_and_fit(
        lambda: training.WordsOnly(3, 16, 2, 0.0), nodes, 0, steps=40, rates=(0.02,), decays=(0.0,)
    )
    assert alone < 0.8


def test_both_directions_of_an_edge_are_told_apart(training):
    torch.manual_seed(0)
    layer = training.BothWays(1, 1)
    features = torch.tensor([[1.0], [2.0], [4.0]])
    graph = Graph(torch.tensor([[0, 0], [1, 2]]), 3)  # node 0 needs nodes 1 and 2
    own, needed, needing = (float(part.weight.detach()) for part in (layer.own, layer.needed, layer.needing))
    bias = float(layer.own.bias.detach())
    expected = [own + bias + 3 * needed, 2 * own + bias + needing, 4 * own + bias + needing]
    torch.testing.assert_close(layer(features, graph).flatten(), torch.tensor(expected))


def test_means_as_matrix_products_are_means_over_neighbours(load_sprint, training):
    products = load_sprint(f"{SPRINT}/downstream/means_as_products.py")
    generator = torch.Generator().manual_seed(0)
    edges = torch.randint(12, (2, 30), generator=generator)  # some edges are there twice, some nodes have none
    graph, features = Graph(edges, 15), torch.randn(15, 4, generator=generator)
    torch.manual_seed(0)
    scattered = training.WordsAndNeighbours(4, 6, 3, 0.0, directed=True)
    multiplied = products.LargeWordsAndNeighbours(graph, 4, 6, 3, 0.0)
    multiplied.load_state_dict(scattered.state_dict())
    expected, got = scattered(features, graph), multiplied(features, graph)
    torch.testing.assert_close(got, expected)
    for logits in (expected, got):
        logits.square().sum().backward()
    for one, other in zip(scattered.parameters(), multiplied.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad)
    with pytest.raises(ValueError, match=r"this is another one"):
        multiplied(features, Graph(edges, 15))


def test_packages_become_nodes_and_families_stay_together(load_sprint, own_data):
    kinds = ("library", "game")
    lines = ["package\tsection\tdepends\tshort\tlong"]
    for number in range(60):
        kind = kinds[number % 2]
        lines.append(
            f"p{number}\t{kind}\tp{(number + 2) % 60}\ta {kind} of words\t{kind} family {number // 4}\\n.\\nmore"
        )
    own_data("debian/packages.tsv.gz", gzip.compress("\n".join(lines).encode()))
    data = load_sprint(f"{SPRINT}/downstream/debian_nodes.py")
    found = data.debian_nodes(60, 3, 10, seed=0)
    nodes = found.nodes
    assert (found.sections, found.alone, nodes.graph.num_edges) == (2, 0.0, 60)
    assert (nodes.train.int() + nodes.val.int() + nodes.test.int() == 1).all()
    assert found.per_family == 2
    assert nodes.labels.bincount().tolist() == [30, 30]
    with pytest.raises(ValueError, match="two sections or more"):
        data.debian_nodes(60, 3, 31, seed=0)


def test_the_example_of_note_12():
    words, edges = 3 / 2, 2 / 1
    odds = words * edges
    assert odds == 3
    assert odds / (1 + odds) == 0.75
    assert math.log(words) + math.log(edges) == pytest.approx(math.log(3))
