"""Checks of the confusion matrix and its quotients: beside scikit-learn's."""

from typing import Any

import torch
from sklearn import metrics
from torch import Tensor

from shared.lab.checking import expect

EIGHTS = [[6, 4], [2, 88]]


def compare_matrix(learner: Any, labels: list[int], predictions: list[int], classes: int) -> None:
    expected = torch.from_numpy(metrics.confusion_matrix(labels, predictions, labels=list(range(classes)))).long()
    mistakes = {
        "Rows and columns are exchanged: a row is what an example is, a column what it was called.": expected.T,
        "It has shares; it must have counts.": expected / expected.sum(),
        "It has marks: a pair that occurs twice counts twice.": expected.clamp(max=1),
        "It has right predictions only.": expected.diag().diag(),
        "Classes that do not occur have no row: there must be one for each class.": expected[: max(labels) + 1],
    }
    given = {"labels": torch.tensor(labels), "predictions": torch.tensor(predictions), "classes": classes}
    expect(learner.confusion_matrix, given, expected, mistakes)


def pairs(confusion: list[list[int]]) -> tuple[list[int], list[int]]:
    """Return labels and predictions that have a confusion matrix."""
    both = [(i, j) for i, row in enumerate(confusion) for j, count in enumerate(row) for _ in range(count)]
    return [i for i, _ in both], [j for _, j in both]


def compare_quotients(learner: Any, confusion: list[list[int]]) -> None:
    matrix, (labels, predictions) = torch.tensor(confusion), pairs(confusion)
    right = matrix.diag()
    settings = {"labels": list(range(len(matrix))), "average": None, "zero_division": 0}
    precision, recall = (
        torch.tensor(score(labels, predictions, **settings)).float()
        for score in (metrics.precision_score, metrics.recall_score)
    )
    expect(learner.accuracy, {"confusion": matrix}, torch.tensor(metrics.accuracy_score(labels, predictions)).float(), {
        "It counts the right ones; divide by all.": right.sum().float(),
        "It is the mean of the recalls. Accuracy counts every example once, whatever its class.": recall.mean(),
        "It is the mean of the precisions. Accuracy counts every example once, whatever its class.": precision.mean(),
        "It is the share of wrong predictions.": 1 - right.sum() / matrix.sum(),
        "It divides the right ones by the wrong ones.": right.sum() / (matrix.sum() - right.sum()),
    })  # fmt: skip
    quotients: dict[str, tuple[Any, Tensor, Tensor]] = {
        "precision": (learner.precision, precision, recall),
        "recall": (learner.recall, recall, precision),
    }
    for name, (function, expected, other) in quotients.items():
        mistakes = {
            f"It is {'recall' if name == 'precision' else 'precision'}: rows and columns are exchanged.": other,
            "It is divided by all examples; each class has its own number.": right / matrix.sum(),
            "It is one number; each class has one of its own.": expected.mean(),
            "It is 0 / 0 for a class that has no examples here: that counts as 0.": (
                right / matrix.sum(dim=0 if name == "precision" else 1)
            ),
        }
        expect(function, {"confusion": matrix}, expected, mistakes)


def check_six_examples(learner: Any) -> None:
    """The matrix of six examples of three classes."""
    compare_matrix(learner, [0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 0], 3)


def check_missing_class(learner: Any) -> None:
    """A class that nothing is, and that nothing was called, has a row and a column as well."""
    compare_matrix(learner, [0, 1, 1, 0], [0, 1, 0, 0], 4)


def check_eights(learner: Any) -> None:
    """Accuracy, precision and recall of the eights of note 9."""
    compare_quotients(learner, EIGHTS)


def check_three_classes(learner: Any) -> None:
    """Three classes of different size."""
    compare_quotients(learner, [[5, 1, 0], [2, 10, 3], [0, 4, 25]])


def check_never_called(learner: Any) -> None:
    """A class that was never called has a precision of 0, one without examples a recall of 0."""
    compare_quotients(learner, [[3, 0, 1], [2, 0, 1], [0, 0, 0]])
