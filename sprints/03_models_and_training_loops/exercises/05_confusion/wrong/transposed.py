"""A column for what it is, a row for what it was called."""

import torch
from torch import Tensor


def confusion_matrix(labels: Tensor, predictions: Tensor, classes: int) -> Tensor:
    return torch.bincount(predictions * classes + labels, minlength=classes**2).view(classes, classes)
