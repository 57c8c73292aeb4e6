"""May one believe a classifier's confidence?

Fill in `expected_calibration_error`. Then look how far you are, as often as you like:

    uv run sprints check 11.3
    uv run sprints hint 11.3

The eight predictions of note 7 are one of the checks. Theory: note 7 of this sprint.
"""

from torch import Tensor


def expected_calibration_error(probabilities: Tensor, labels: Tensor, bins: int) -> Tensor:
    """Return the mean distance of accuracy and confidence, over bins of equal width, weighted by their predictions.

    Args:
        probabilities: (texts, classes). The class with the largest is predicted, and it is the confidence.
        labels: (texts,), the right classes
        bins: number of bins between 0 and 1. A confidence on an edge belongs to the bin below it.

    Returns:
        a number, a tensor without axes
    """
    raise NotImplementedError
