"""Every item gets an equal piece."""

from torch import Tensor


def balancing_weights(labels: Tensor) -> Tensor:
    return 1 / labels.bincount()[labels]


def draw(weights: Tensor, points: Tensor) -> Tensor:
    ends = weights.cumsum(dim=0)
    return (points * len(ends)).long()
