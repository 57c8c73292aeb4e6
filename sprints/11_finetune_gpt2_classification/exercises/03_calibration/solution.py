"""Bin by bin: the share of predictions times the gap."""

import torch
from torch import Tensor


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int) -> Tensor:
    """Return the mean distance of accuracy and confidence, over bins of equal width, weighted by their predictions."""
    confidence, predicted = probabilities.max(dim=1)
    right = (predicted == labels).to(confidence.dtype)
    index = (confidence * bins).ceil().long()  # a bin holds its upper edge
    error = torch.zeros((), dtype=confidence.dtype)
    for number in index.unique():
        inside = index == number
        gap = right[inside].mean() - confidence[inside].mean()
        error = error + inside.to(confidence.dtype).mean() * gap.abs()
    return error
