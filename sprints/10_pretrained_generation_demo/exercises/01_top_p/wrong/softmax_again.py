"""Probabilities are taken for logits."""

import torch
from torch import Tensor


def top_p(probabilities: Tensor, p: float) -> Tensor:
    descending, tokens = probabilities.sort(descending=True)
    keep = descending.cumsum(0) - descending < p
    kept = torch.zeros_like(probabilities).scatter(0, tokens, descending.where(keep, 0.0))
    return kept.masked_fill(kept == 0, -torch.inf).softmax(0)
