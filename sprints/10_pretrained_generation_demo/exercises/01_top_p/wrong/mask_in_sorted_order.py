"""The mask of the sorted order is laid on the vocabulary."""

from torch import Tensor


def top_p(probabilities: Tensor, p: float) -> Tensor:
    descending, _ = probabilities.sort(descending=True)
    kept = probabilities.where(descending.cumsum(0) - descending < p, 0.0)
    return kept / kept.sum()
