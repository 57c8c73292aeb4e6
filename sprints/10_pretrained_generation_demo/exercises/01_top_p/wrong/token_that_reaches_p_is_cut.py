"""Tokens stay while the sum with them is below p; a sure model keeps none."""

import torch
from torch import Tensor


def top_p(probabilities: Tensor, p: float) -> Tensor:
    descending, tokens = probabilities.sort(descending=True)
    keep = descending.cumsum(0) < p
    kept = torch.zeros_like(probabilities).scatter(0, tokens, descending.where(keep, 0.0))
    return kept / kept.sum()
