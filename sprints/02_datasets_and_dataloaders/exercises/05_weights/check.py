"""Checks of `balancing_weights` and `draw`; the reference counts, and asks every piece whether a point is in it."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def compare_weights(learner: Any, labels: Tensor) -> None:
    sizes = (labels[:, None] == labels).sum(dim=1)  # (items,): how many items have the class of this one
    classes = len(labels.unique())
    mistakes = {
        "This is the size of the class; a rare class needs the larger weight.": sizes.float(),
        "This is the share of the class; a rare class needs the larger weight.": sizes / len(labels),
        "Squared: rare classes are drawn more often than the others now.": 1 / sizes.square(),
        "One weight for each class; each item needs one.": 1 / labels.bincount(),
        "The weight must be 1 / size, not items / size.": len(labels) / sizes,
        "All alike: that draws frequent classes more often.": torch.ones(len(labels)),
        "These add up to 1; here the items of each class must add up to 1.": 1 / sizes / classes,
    }
    expect(learner.balancing_weights, {"labels": labels}, 1 / sizes, mistakes)


def compare_draws(learner: Any, weights: Tensor, points: Tensor) -> None:
    ends = weights.cumsum(dim=0)
    starts = ends - weights
    places = points[:, None] * weights.sum()  # (draws, 1)
    expected = ((places >= starts) & (places < ends)).int().argmax(dim=1)  # (draws,)
    left = torch.searchsorted(ends, points * ends[-1])
    mistakes = {
        "A point on a border belongs to the piece that begins there: searchsorted(..., right=True).": left,
        "Points go from 0 to 1, the line from 0 to the sum of the weights: multiply.": torch.searchsorted(
            ends, points, right=True
        ),
        "One too far: items are counted from 0.": expected + 1,
        "The weights play no part: every item gets an equal piece.": (points * len(weights)).long(),
        "Always the item with the largest weight: nothing is drawn.": torch.full_like(expected, int(weights.argmax())),
    }
    expect(learner.draw, {"weights": weights, "points": points}, expected, mistakes)


def check_weights_of_the_note(learner: Any) -> None:
    """Four items of class 0 and one of class 1."""
    compare_weights(learner, torch.tensor([0, 0, 0, 0, 1]))


def check_weights_of_more_classes(learner: Any) -> None:
    """Three classes in any order, one number without items."""
    compare_weights(learner, torch.tensor([2, 0, 2, 3, 2, 0]))


def check_points_of_the_note(learner: Any) -> None:
    """Weights of 1/4, 1/4, 1/4, 1/4 and 1, and points within the pieces."""
    compare_draws(learner, torch.tensor([0.25, 0.25, 0.25, 0.25, 1.0]), torch.tensor([0.0, 0.2, 0.4595, 0.645, 0.97]))


def check_borders(learner: Any) -> None:
    """Points on borders, and an item of weight 0, which is never drawn."""
    compare_draws(learner, torch.tensor([1.0, 0.0, 2.0, 1.0]), torch.tensor([0.0, 0.25, 0.5, 0.75]))


def check_small_weights(learner: Any) -> None:
    """Weights whose sum is far below 1."""
    compare_draws(learner, torch.tensor([0.125, 0.0625, 0.0625]), torch.tensor([0.3, 0.6, 0.9, 0.1]))
