"""Count the pairs; divide the diagonal by everything, by columns, by rows."""

import torch
from torch import Tensor


def confusion_matrix(labels: Tensor, predictions: Tensor, classes: int) -> Tensor:
    """Return how often each class (row) was taken for each class (column), (classes, classes), whole numbers."""
    confusion = torch.zeros(classes, classes, dtype=torch.long)
    for label, prediction in zip(labels, predictions, strict=True):
        confusion[label, prediction] += 1
    return confusion


def accuracy(confusion: Tensor) -> Tensor:
    """Return the share of right predictions: a tensor without axes."""
    return confusion.diag().sum() / confusion.sum()


def precision(confusion: Tensor) -> Tensor:
    """Return for each class, of those that were called so, the share that is; 0 where nothing was. (classes,)"""
    return confusion.diag() / confusion.sum(dim=0).clamp(min=1)  # down the columns


def recall(confusion: Tensor) -> Tensor:
    """Return for each class, of those that are so, the share that was found; 0 where there are none. (classes,)"""
    return confusion.diag() / confusion.sum(dim=1).clamp(min=1)  # along the rows
