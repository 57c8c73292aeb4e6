"""Precision divides by rows, recall by columns."""

from torch import Tensor


def precision(confusion: Tensor) -> Tensor:
    return confusion.diag() / confusion.sum(dim=1).clamp(min=1)


def recall(confusion: Tensor) -> Tensor:
    return confusion.diag() / confusion.sum(dim=0).clamp(min=1)
