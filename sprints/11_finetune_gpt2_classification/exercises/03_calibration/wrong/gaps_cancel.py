"""The sign of a gap is kept."""

import torch
from torch import Tensor


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int) -> Tensor:
    confidence, predicted = probabilities.max(dim=1)
    right, index = (predicted == labels).float(), (confidence * bins).ceil()
    gaps = [(index == n).float().mean() * (right - confidence)[index == n].mean() for n in index.unique()]
    return torch.stack(gaps).sum()
