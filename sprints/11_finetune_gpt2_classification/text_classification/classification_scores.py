"""What a classifier's probabilities are worth, by figures and by class, and what the best possible ones are."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
from torch import Tensor

from shared.text.cookbook import Cookbook
from text_classification.labelled_texts import LabelledTexts
from text_classification.spoiled_recipes import GENUINE, SPOILED, Spoiler

BINS = 10


@dataclass(frozen=True)
class Scores:
    """Scores on one split; `loss` in nats, precision, recall and F1 by class, `reliability` by bin of confidence."""

    accuracy: float
    loss: float
    confusion: list[list[int]]
    precision: list[float]
    recall: list[float]
    f1: list[float]
    calibration_error: float
    reliability: dict[str, list[float]]


def score(log_probabilities: Tensor, labels: Tensor) -> Scores:
    """Return the scores of predicted log-probabilities, (texts, classes), against the labels, (texts,)."""
    probabilities = log_probabilities.exp()
    classes = list(range(probabilities.shape[1]))
    predicted = probabilities.argmax(1)
    precision, recall, f1, _ = precision_recall_fscore_support(labels, predicted, labels=classes, zero_division=0)
    error, reliability = calibration(probabilities, labels)
    return Scores(
        accuracy=(predicted == labels).double().mean().item(),
        loss=log_loss(log_probabilities, labels),
        confusion=confusion_matrix(labels, predicted, labels=classes).tolist(),
        precision=precision.tolist(),
        recall=recall.tolist(),
        f1=f1.tolist(),
        calibration_error=error,
        reliability=reliability,
    )


def log_loss(log_probabilities: Tensor, labels: Tensor) -> float:
    """Return the mean of -log p(label) in nats."""
    return -log_probabilities.double().gather(1, labels[:, None]).mean().item()


def calibration(probabilities: Tensor, labels: Tensor, bins: int = BINS) -> tuple[float, dict[str, list[float]]]:
    """Return the expected calibration error (Guo et al. 2017), and the reliability diagram by bin of confidence.

    Confidence is the probability of the predicted class. With n texts, of which n_b fall into bin b, the error is the
    sum over bins of n_b / n |accuracy_b - confidence_b|: 0 if of the predictions made with p per cent confidence
    p per cent are right. Empty bins are left out.
    """
    confidence, predicted = probabilities.double().max(1)
    right = (predicted == labels).double()
    # A bin holds its upper edge: a confidence of 1 falls into the last.
    index = (confidence * bins).ceil().long().clamp(1, bins) - 1
    counts = torch.bincount(index, minlength=bins)
    there = counts > 0
    accuracies = torch.bincount(index, right, minlength=bins)[there] / counts[there]
    confidences = torch.bincount(index, confidence, minlength=bins)[there] / counts[there]
    error = (counts[there] / len(labels) * (accuracies - confidences).abs()).sum().item()
    return error, {
        "confidence": confidences.tolist(),
        "accuracy": accuracies.tolist(),
        "count": counts[there].double().tolist(),
    }


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation over seeds (0 for a single one)."""
    numbers = torch.tensor(values, dtype=torch.float64)
    return numbers.mean().item(), numbers.std().item() if len(values) > 1 else 0.0


@dataclass(frozen=True)
class Optimum:
    """The best classifier that there can be, on the very texts that ours is scored on."""

    accuracy: float
    expected_accuracy: float
    standard_error: float
    loss: float
    right: dict[str, float]


def optimum_on(texts: LabelledTexts) -> tuple[Optimum, Tensor]:
    """Return Bayes' classifier on recipes, and its probabilities of the classes, (texts, classes)."""
    # How often a kind of dish is cooked divides out, so the whole cookbook judges the recipes of any part of it.
    spoiler = Spoiler(Cookbook())
    spoiled = torch.tensor([spoiler.posterior(text) for text in texts.texts], dtype=torch.float64)
    labels, posterior = torch.tensor(texts.labels), torch.stack((1 - spoiled, spoiled), dim=1)
    right = (posterior.argmax(1) == labels).double()
    optimum = Optimum(
        accuracy=right.mean().item(),
        # It is right with probability max(p, 1 - p). The mean of that is free of the labels' luck.
        expected_accuracy=posterior.max(1).values.mean().item(),
        standard_error=right.std().item() / len(right) ** 0.5,
        loss=log_loss(posterior.log(), labels),
        right=right_by_evidence(posterior, posterior, labels),
    )
    return optimum, posterior


def right_by_evidence(answers: Tensor, posterior: Tensor, labels: Tensor) -> dict[str, float]:
    """Return the share of right answers among genuine recipes, impossible ones, and spoiled ones that are possible.

    `answers` are probabilities or their logarithms, (texts, classes).
    """
    right, impossible = answers.argmax(1) == labels, posterior[:, SPOILED] == 1
    groups = {
        "genuine": labels == GENUINE,
        "impossible": impossible,
        "possible": (labels == SPOILED) & ~impossible,
    }
    # There may be none of a kind among a few texts.
    return {name: right[group].double().sum().item() / max(1, int(group.sum())) for name, group in groups.items()}
