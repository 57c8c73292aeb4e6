"""Counts with a decimal point."""

import torch
from torch import Tensor


def confusion_matrix(labels: Tensor, predictions: Tensor, classes: int) -> Tensor:
    confusion = torch.zeros(classes, classes)
    for label, prediction in zip(labels, predictions, strict=True):
        confusion[label, prediction] += 1
    return confusion
