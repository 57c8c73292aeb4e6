"""Accuracy and mean confidence of everything."""

from torch import Tensor


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int) -> Tensor:
    confidence, predicted = probabilities.max(dim=1)
    return ((predicted == labels).float().mean() - confidence.mean()).abs()
