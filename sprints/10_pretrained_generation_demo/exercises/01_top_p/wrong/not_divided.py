"""What is left does not add up to 1."""

import torch
from torch import Tensor


def top_p(probabilities: Tensor, p: float) -> Tensor:
    descending, tokens = probabilities.sort(descending=True)
    keep = descending.cumsum(0) - descending < p
    return torch.zeros_like(probabilities).scatter(0, tokens, descending.where(keep, 0.0))
