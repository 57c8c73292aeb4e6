"""The distance is taken for each text, so that a text that is right has to be certain."""

from torch import Tensor


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int) -> Tensor:
    confidence, predicted = probabilities.max(dim=1)
    return ((predicted == labels).float() - confidence).abs().mean()
