"""Checks of `expected_calibration_error`: by a loop over the texts, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def gathered(probabilities: Tensor, labels: Tensor, bins: int) -> list[list[tuple[float, float]]]:
    """Return confidence and rightness of the texts of each bin."""
    found: dict[int, list[tuple[float, float]]] = {}
    for row, label in zip(probabilities, labels, strict=True):
        confidence, predicted = row.max(0)
        place = math.ceil((confidence * bins).item())
        found.setdefault(place, []).append((confidence.item(), float(predicted == label)))
    return list(found.values())


def compare(learner: Any, probabilities: Tensor, labels: Tensor, bins: int) -> None:
    groups = gathered(probabilities, labels, bins)
    texts = len(labels)
    gaps = [(len(group), sum(r - c for c, r in group) / len(group)) for group in groups]
    confidence, predicted = probabilities.max(1)
    right = (predicted == labels).float()

    def number(value: float) -> Tensor:
        return torch.tensor(value)

    mistakes = {
        "All bins weigh the same; a bin must weigh as much as it has predictions.": number(
            sum(abs(gap) for _, gap in gaps) / len(gaps)
        ),
        "It is divided by the number of bins, empty ones too.": number(sum(abs(gap) for _, gap in gaps) / bins),
        "Gaps above and below cancel: take the distance, without its sign.": number(
            sum(count * gap for count, gap in gaps) / texts
        ),
        "Gaps above and below cancel, and confidence comes first: take the distance, without its sign.": number(
            -sum(count * gap for count, gap in gaps) / texts
        ),
        "The gaps are squared.": number(sum(count * gap**2 for count, gap in gaps) / texts),
        "It is the mean distance text by text. A bin must be averaged before the distance is taken.": (
            (right - confidence).abs().mean()
        ),
        "There are no bins: one gap of all texts together.": (right.mean() - confidence.mean()).abs(),
    }
    expected = number(sum(count * abs(gap) for count, gap in gaps) / texts)
    given = {"probabilities": probabilities, "labels": labels, "bins": bins}
    expect(learner.expected_calibration_error, given, expected, mistakes)


def check_the_example_of_the_note(learner: Any) -> None:
    """Eight predictions in three of ten bins: the error is 0.175."""
    confidence = torch.tensor([0.98, 0.96, 0.94, 0.92, 0.75, 0.75, 0.55, 0.55])
    compare(learner, torch.stack((confidence, 1 - confidence), 1), torch.tensor([0, 0, 0, 1, 0, 1, 0, 1]), 10)


def check_three_classes(learner: Any) -> None:
    """Another class than the first may be predicted; one bin is underconfident, another overconfident."""
    probabilities = torch.tensor([[0.2, 0.7, 0.1], [0.1, 0.3, 0.6], [0.4, 0.35, 0.25], [0.45, 0.3, 0.25]])
    compare(learner, probabilities, torch.tensor([1, 2, 1, 1]), 4)


def check_an_edge(learner: Any) -> None:
    """A confidence of 0.75 with four bins belongs to the bin below, and one of 1 to the last."""
    probabilities = torch.tensor([[0.75, 0.25], [0.625, 0.375], [1.0, 0.0], [0.875, 0.125]])
    compare(learner, probabilities, torch.tensor([1, 0, 0, 1]), 4)
