"""Checks of `neighbour_attention`: beside PyTorch's attention with the graph as its mask, and the usual mistakes."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def by_masking(values: Tensor, scores: Tensor, edge_index: Tensor) -> Tensor:
    """Return the same by a softmax over whole rows, in which pairs without an edge are hidden."""
    source, target = edge_index
    table = torch.full((len(values), len(values)), -torch.inf)
    table[target, source] = scores
    return table.softmax(dim=1).nan_to_num() @ values  # a row without an edge is 0 / 0


def mistakes(values: Tensor, scores: Tensor, edge_index: Tensor) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    source, target = edge_index

    def mix(weights: Tensor, rows: Tensor = source, to: Tensor = target) -> Tensor:
        return torch.zeros_like(values).index_add(0, to, weights[:, None] * values[rows])

    def in_groups(groups: Tensor) -> Tensor:
        powers = (scores - scores.max()).exp()
        return powers / torch.zeros(len(values)).index_add(0, groups, powers)[groups]

    count = torch.bincount(target, minlength=len(values))
    return {
        "The softmax runs over all edges of the graph. It must run over the edges that end at one node.": mix(
            scores.softmax(dim=0)
        ),
        "The softmax runs over the edges of each source. It must run over the edges that end at one node.": mix(
            in_groups(source)
        ),
        "The exponentials are not divided by their sum.": mix(scores.exp()),
        "There is no softmax: scores are used as weights.": mix(scores),
        "The scores are ignored: it is the mean of the sources.": mix(1 / count[target]),
        "Each node mixes its own values; it must mix those of its sources.": mix(in_groups(target), target),
        "Sources and targets are exchanged.": mix(in_groups(source), target, source),
    }


def compare(learner: Any, values: Tensor, scores: list[float], pairs: list[tuple[int, int]]) -> None:
    edge_index = torch.tensor(pairs, dtype=torch.long).T.contiguous()
    given = {"values": values, "scores": torch.tensor(scores), "edge_index": edge_index}
    expected = by_masking(**given)
    expect(learner.neighbour_attention, given, expected, mistakes(**given))


def check_the_node_of_the_note(learner: Any) -> None:
    """Node C of note 4 hears A, B, itself and D."""
    values = torch.tensor([[1.0], [2], [3], [6]])
    compare(learner, values, [0.5, 1.0, 1.5, 3.0], [(0, 2), (1, 2), (2, 2), (3, 2)])


def check_groups(learner: Any) -> None:
    """Two nodes with two edges each, two features."""
    values = torch.tensor([[1.0, 0], [0, 1], [4, 2]])
    compare(learner, values, [1.0, 0.0, 2.0, -1.0], [(0, 2), (1, 2), (2, 0), (1, 0)])


def check_one_neighbour(learner: Any) -> None:
    """Whoever hears one node alone gets its values, whatever the score."""
    compare(learner, torch.tensor([[2.0], [5]]), [-3.0, 4.0], [(0, 1), (1, 0)])


def check_a_node_that_hears_nobody(learner: Any) -> None:
    """No edge ends at node 1."""
    compare(learner, torch.tensor([[2.0], [5], [1]]), [0.5, 1.5, 0.0], [(1, 0), (2, 0), (1, 2)])


def check_large_scores(learner: Any) -> None:
    """Scores of several hundred do not overflow, nor do nodes with small ones vanish beside them."""
    values = torch.tensor([[1.0], [2], [3]])
    compare(learner, values, [300.0, 299.0, -300.0, -301.0], [(0, 2), (1, 2), (1, 0), (2, 0)])
