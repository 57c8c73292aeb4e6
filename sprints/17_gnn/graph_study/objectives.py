"""Classes or numbers: the loss of answers, what is decided by them, and the scores on the test."""

import math

import torch
from sklearn.metrics import mean_absolute_error, r2_score
from torch import Tensor
from torch.nn import functional

from graph_study.labels_and_splits import Labels
from graph_study.standardising import mean_and_deviation, standardise

Scores = dict[str, float]  # by measure


class Objective:
    """What a network is trained for, and how its answers are scored.

    Args:
        labels: of all rows.
        train: the rows that train; numbers are standardised by their mean and standard deviation.
    """

    def __init__(self, labels: Labels, train: Tensor) -> None:
        self.values, self.classes = labels.values, labels.classes
        known = labels.values[train]
        self.outputs = len(self.classes) or 1
        self.mean, self.deviation = (torch.zeros(()), torch.ones(())) if self.classes else mean_and_deviation(known)
        self.common = known.mode().values.item() if self.classes else self.mean.item()

    def loss(self, answers: Tensor, rows: Tensor) -> Tensor:
        """Return the mean loss of answers for these rows."""
        if self.classes:
            return functional.cross_entropy(answers, self.values[rows].to(answers.device))
        return functional.mse_loss(answers, self.encode(rows).to(answers.device))

    def encode(self, rows: Tensor) -> Tensor:
        """Return the answers that would be right for these rows: one-hot rows, or a column of standardised numbers."""
        if self.classes:
            return functional.one_hot(self.values[rows], self.outputs).float()
        return standardise(self.values[rows], self.mean, self.deviation)[:, None]

    def decide(self, answers: Tensor) -> Tensor:
        """Return class numbers, or numbers in the unit of the labels."""
        answers = answers.cpu()
        return answers.argmax(dim=1) if self.classes else answers[:, 0].double() * self.deviation + self.mean

    def score(self, decisions: Tensor, rows: Tensor) -> Scores:
        """Return the accuracy of decisions for these rows, or R2 and mean absolute error."""
        wanted = self.values[rows]
        if self.classes:
            return {"accuracy": (decisions == wanted).double().mean().item()}
        # R2 has no unit, and the squares of very small numbers are 0.
        alike = (standardise(numbers, self.mean, self.deviation) for numbers in (wanted, decisions))
        return {"R2": float(r2_score(*alike)), "MAE": float(mean_absolute_error(wanted, decisions))}

    def score_constant(self, rows: Tensor) -> dict[str, Scores]:
        """Return the score of the most frequent class or of the mean, by its name."""
        name = "most frequent class" if self.classes else "mean"
        return {name: self.score(torch.full((len(rows),), self.common, dtype=self.values.dtype), rows)}

    def as_text(self, decision: Tensor) -> object:
        """Return a decision as a file of predictions has it: a number to a millionth of the labels' deviation."""
        if self.classes:
            return self.classes[int(decision)]
        return round(decision.item(), 6 - math.floor(math.log10(self.deviation.item())))
