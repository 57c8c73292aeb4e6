"""The mean over bins, however many predictions each has."""

import torch
from torch import Tensor


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int) -> Tensor:
    confidence, predicted = probabilities.max(dim=1)
    right, index = (predicted == labels).float(), (confidence * bins).ceil()
    gaps = [(right[index == n].mean() - confidence[index == n].mean()).abs() for n in index.unique()]
    return torch.stack(gaps).mean()
