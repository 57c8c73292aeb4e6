"""A bin holds its lower edge."""

import torch
from torch import Tensor


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int) -> Tensor:
    confidence, predicted = probabilities.max(dim=1)
    right, index = (predicted == labels).float(), (confidence * bins).floor()
    gaps = [(index == n).float().mean() * (right - confidence)[index == n].mean().abs() for n in index.unique()]
    return torch.stack(gaps).sum()
