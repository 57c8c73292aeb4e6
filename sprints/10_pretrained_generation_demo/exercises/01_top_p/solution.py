"""Sort, keep what comes before p is reached, go back to the order of the vocabulary, divide by the sum."""

import torch
from torch import Tensor


def top_p(probabilities: Tensor, p: float) -> Tensor:
    """Return the distribution to draw from: the fewest tokens whose probabilities reach p, and nothing else."""
    descending, tokens = probabilities.sort(descending=True)
    before = descending.cumsum(dim=0) - descending  # what the more probable ones have together
    kept = torch.zeros_like(probabilities).scatter(0, tokens, descending.where(before < p, 0.0))
    return kept / kept.sum()
