"""Sprint 27's groups that change: beliefs that are exact on a tree, the threshold with memory, events by their date."""

import itertools
import math

import pytest
import torch

from shared.graph.block_models import Rates, rates_of
from shared.graph.graphs import Graph

FOLDER = "27_graphs_downstream"


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def changing(load_sprint):
    return load_sprint(f"{FOLDER}/downstream/changing_blocks.py")


def test_beliefs_through_time_are_exact_on_a_tree(changing, generator):
    """Against the sum over all ways to give three nodes two groups at two times."""
    graphs = [Graph.undirected([(0, 1)], 3), Graph.undirected([(1, 2)], 3)]
    rates, memory = Rates(5.0, 1.0, 2), 0.7
    evidence = torch.zeros(2, 3, 2)
    evidence[0, 0] = torch.tensor([0.4, -0.9])
    evidence[1, 2, 1] = -math.inf
    kept = memory * torch.eye(2).double() + (1 - memory) / 2
    exact = torch.zeros(2, 3, 2, dtype=torch.double)
    for way in itertools.product((0, 1), repeat=6):
        groups = torch.tensor(way).reshape(2, 3)
        weight = evidence.gather(2, groups[:, :, None]).sum().exp().double()
        weight = weight * rates.affinity()[groups[0, 0], groups[0, 1]] * rates.affinity()[groups[1, 1], groups[1, 2]]
        weight = weight * kept[groups[0], groups[1]].prod()
        exact += weight * torch.nn.functional.one_hot(groups, 2)
    exact /= exact.sum(dim=2, keepdim=True)
    ours = changing.beliefs_through_time(graphs, rates, memory, generator, evidence=evidence, balanced=False)
    torch.testing.assert_close(ours, exact, atol=1e-6, rtol=0)


def test_groups_keep_what_the_memory_says(changing, generator):
    rates = rates_of(6.0, 1.2, 3)
    graphs, groups = changing.changing_blocks(900, 4, rates, 0.7, generator)
    assert [graph.num_nodes for graph in graphs] == [900] * 4
    assert groups.shape == (4, 900)
    kept = (groups[1:] == groups[:-1]).double().mean().item()
    assert kept == pytest.approx(0.7 + 0.3 / 3, abs=0.03)
    degrees = sum(graph.num_edges for graph in graphs) / 3600
    assert degrees == pytest.approx(6, rel=0.06)


def test_memory_helps_above_the_threshold_and_not_below(load_sprint):
    script = load_sprint(f"{FOLDER}/communities_that_change.py")
    config = script.Config(nodes=100, times=5, memories=(0.0, 0.9), signals=(0.1, 0.9), seeds=(0,))
    results = script.main(config)
    methods = results.accuracy["0.9"]
    assert methods[script.THROUGH][1][0] > methods[script.ALONE][1][0] + 0.1
    assert methods[script.THROUGH][0][0] < 0.65
    nothing = results.accuracy["0"]
    assert nothing[script.THROUGH][1][0] == pytest.approx(nothing[script.ALONE][1][0], abs=0.06)
    assert len(script.plot(results).axes) == 2


def test_note_9_the_threshold_is_where_the_largest_eigenvalue_is_one(changing):
    for memory in (0.0, 0.6, 0.9, 0.99):
        signal = changing.threshold(memory)
        edge, step = signal**2, memory**2
        # Rows: reached along an edge, reached along time; columns: go on along an edge, along time.
        growth = torch.tensor([[edge, 2 * step], [edge, step]])
        assert torch.linalg.eigvals(growth).real.max().item() == pytest.approx(1, abs=1e-6)
    assert f"{changing.threshold(0.6):.3f}" == "0.686"
    assert f"{changing.threshold(0.9):.3f}" == "0.324"
    with pytest.raises(ValueError, match=r"from 0 to 1; got 1.2"):
        changing.threshold(1.2)


def test_note_9_a_label_along_time(load_sprint):
    script = load_sprint(f"{FOLDER}/time_by_hand.py")
    results = script.main(script.Config())
    assert [f"{value:.3f}" for value in results.one_label] == ["0.746", "0.697", "0.657", "0.626"]
    assert results.one_label == pytest.approx(results.by_formula)
    first, second = results.one_label[0], results.one_label[3]
    together = first * second / (first * second + (1 - first) * (1 - second))
    assert results.two_labels[0] == pytest.approx(together)
    assert f"{together:.3f}" == "0.831"
    middle = results.one_label[1] * results.one_label[2]
    assert results.two_labels[1] == pytest.approx(
        middle / (middle + (1 - results.one_label[1]) * (1 - results.one_label[2]))
    )
    assert f"{results.two_labels[1]:.3f}" == "0.815"
    assert len(script.plot(results).axes) == 1


def test_events_by_hand(load_sprint):
    events = load_sprint(f"{FOLDER}/downstream/events.py")
    before, after = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2], [0, 0, 0, 0, 0, 0, 1, 1, 2, 2]
    assert events.events_between(before, after) == [
        events.Event("merge", (0, 1), (0,)),
        events.Event("birth", (2,), (1, 2)),
    ]
    assert events.events_between(before, before) == []
    assert events.events_between([0, 0, 1, 1], [0, 1, 0, 0]) == [], "exactly half is not more than half"
    assert events.events_between(after, before)[0].kind == "merge", "time the other way round"
    assert [event.kind for event in events.events_between(before, after, smallest=3)] == ["merge"]
    with pytest.raises(ValueError, match="got 10 and 9"):
        events.events_between(before, after[:-1])


def test_strong_events_are_found_at_their_time_and_weak_ones_are_not(load_sprint):
    script = load_sprint(f"{FOLDER}/births_and_merges.py")
    results = script.main(script.Config(nodes=200, signals=(0.2, 2.8), smallest=10, seeds=(0,)))
    assert results.true_counts == [4, 4, 4, 4, 3, 3, 3, 3, 4, 4, 4, 4]
    assert results.found["2.8"][0] == 2
    assert results.found["0.2"][0] == 0
    assert len(script.plot(results).axes) == 1
