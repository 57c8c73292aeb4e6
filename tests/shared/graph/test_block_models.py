"""Block models: what is drawn has its rates, and belief propagation is exact where it must be."""

import math

import pytest
import torch

from shared.graph import block_models as blocks
from shared.graph.graphs import Graph


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_a_block_model_has_its_degree_and_signal(generator):
    rates = blocks.rates_of(6.0, 1.2, 3)
    assert (rates.inside + 2 * rates.outside) / 3 == pytest.approx(6)
    assert (rates.inside - rates.outside) / (3 * math.sqrt(6)) == pytest.approx(1.2)
    graph, groups = blocks.block_model(1500, rates, generator)
    assert torch.bincount(groups).tolist() == [500, 500, 500]
    assert graph.num_edges / 1500 == pytest.approx(6, rel=0.05)
    source, target = graph.edge_index
    same = (groups[source] == groups[target]).double().mean().item()
    assert same == pytest.approx(rates.inside / 18, abs=0.02)
    with pytest.raises(ValueError, match=r"at most 2.00.*got 3"):
        blocks.rates_of(4.0, 3.0, 2)


def test_belief_propagation_is_exact_on_a_tree(generator):
    """Against the sum over all ways to give seven nodes of a tree two groups, with labels at two of them."""
    graph = Graph.undirected([(0, 1), (1, 2), (1, 3), (3, 4), (3, 5), (5, 6)], 7)
    rates = blocks.Rates(5.0, 1.0, 2)
    evidence = torch.zeros(7, 2)
    evidence[0, 1] = evidence[4, 0] = -math.inf
    evidence[6] = torch.tensor([0.3, -0.3])
    ways = torch.cartesian_prod(*[torch.arange(2)] * 7)
    weight = evidence[torch.arange(7), ways].sum(1).double()
    affinity = rates.affinity()
    pairs = graph.edge_index[:, :6]
    weight = (weight + affinity[ways[:, pairs[0]], ways[:, pairs[1]]].log().sum(1)).softmax(0)
    exact = torch.stack([weight @ (ways == group).double() for group in (0, 1)], dim=1)
    free = blocks.belief_propagation(graph, rates, evidence, generator, balanced=False)
    torch.testing.assert_close(free, exact, atol=1e-6, rtol=1e-6)


def test_labels_are_evidence_and_splits_are_apart(generator):
    labels = torch.arange(60) % 3
    masks = blocks.split(labels, 4, 10, generator)
    assert [int(mask.sum()) for mask in masks] == [12, 10, 38]
    assert torch.stack(masks).sum(dim=0).tolist() == [1] * 60
    assert torch.bincount(labels[masks[0]]).tolist() == [4, 4, 4]
    evidence = blocks.label_evidence(labels, masks[0], 3)
    assert (evidence[~masks[0]] == 0).all()
    assert torch.equal(evidence[masks[0]].argmax(dim=1), labels[masks[0]])
    assert (evidence[masks[0]] == -math.inf).sum() == 24
