"""Indexing with += counts a pair that occurs twice once."""

import torch
from torch import Tensor


def confusion_matrix(labels: Tensor, predictions: Tensor, classes: int) -> Tensor:
    confusion = torch.zeros(classes, classes, dtype=torch.long)
    confusion[labels, predictions] += 1
    return confusion
