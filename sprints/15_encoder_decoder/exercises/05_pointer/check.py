"""Checks of `copy_distribution`: by loops, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def by_loops(layer: Tensor, weights: Tensor, source: Tensor) -> Tensor:
    """Return what the pointer gives each token, place by place."""
    points = torch.zeros_like(layer)
    for answer in range(len(layer)):
        for place, token in enumerate(source.tolist()):
            points[answer, token] += weights[answer, place]
    return points


def compare(learner: Any, layer: Tensor, weights: Tensor, source: Tensor, gate: Tensor) -> None:
    points = by_loops(layer, weights, source)
    last = torch.zeros_like(layer)
    for place, token in enumerate(source.tolist()):
        last[:, token] = weights[:, place]
    width = min(layer.shape[1], weights.shape[1])
    by_place = torch.zeros_like(layer)
    by_place[:, :width] = weights[:, :width]
    mixed = gate * layer + (1 - gate) * points
    expect(
        learner.copy_distribution,
        {"layer": layer, "weights": weights, "source": source, "gate": gate},
        mixed,
        {
            "The gate is turned around: it is the share of the layer.": gate * points + (1 - gate) * layer,
            "A token that stands twice keeps one of its weights; add them up (scatter_add).": gate * layer
            + (1 - gate) * last,
            "Places are taken for tokens: the weight of place i belongs to the token source[i].": gate * layer
            + (1 - gate) * by_place,
            "The two are added without the gate.": layer + points,
            "The gate is ignored: this is the pointer alone.": points,
            "The gate is ignored: this is the layer alone.": layer,
            "The layer is not gated.": layer + (1 - gate) * points,
            "The two distributions are multiplied; they must be mixed.": layer * points,
            "There is a softmax over what are probabilities already.": mixed.softmax(dim=-1),
        },
    )


def check_the_note(learner: Any) -> None:
    """The source a z a b of note 10."""
    layer, weights = torch.tensor([[0.5, 0.3, 0.2, 0.0]]), torch.tensor([[0.1, 0.6, 0.2, 0.1]])
    compare(learner, layer, weights, torch.tensor([0, 3, 0, 1]), torch.tensor([[0.3]]))


def check_two_answers(learner: Any) -> None:
    """Two answers with gates of their own, and a source that is shorter than the vocabulary."""
    layer = torch.tensor([[0.1, 0.2, 0.3, 0.2, 0.2], [0.6, 0.1, 0.1, 0.1, 0.1]])
    weights = torch.tensor([[0.7, 0.1, 0.2], [0.05, 0.9, 0.05]])
    compare(learner, layer, weights, torch.tensor([4, 2, 4]), torch.tensor([[0.5], [0.1]]))


def check_one_token_everywhere(learner: Any) -> None:
    """A source of one token: the pointer gives it 1."""
    compare(
        learner,
        torch.tensor([[0.25, 0.75, 0.0]]),
        torch.tensor([[0.2, 0.3, 0.1, 0.4]]),
        torch.tensor([2, 2, 2, 2]),
        torch.tensor([[0.4]]),
    )
