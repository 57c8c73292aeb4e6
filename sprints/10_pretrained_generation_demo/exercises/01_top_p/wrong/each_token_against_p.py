"""Each token is compared with p, and not the sum."""

from torch import Tensor


def top_p(probabilities: Tensor, p: float) -> Tensor:
    kept = probabilities.where(probabilities >= p, 0.0)
    return kept / kept.sum()
