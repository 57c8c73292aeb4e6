"""The result is never brought back to the vocabulary."""

from torch import Tensor


def top_p(probabilities: Tensor, p: float) -> Tensor:
    descending, _ = probabilities.sort(descending=True)
    kept = descending.where(descending.cumsum(0) - descending < p, 0.0)
    return kept / kept.sum()
