"""The place is uniform among those behind all that are higher."""

import torch
from torch import Tensor


def recall(scores: Tensor, right: Tensor, k: int) -> Tensor:
    """Return the probability that each query's right candidate is among its k best, ties broken at random."""
    own = scores.gather(1, right[:, None])  # (queries, 1)
    higher = (scores > own).sum(dim=1)
    level = (scores == own).sum(dim=1)  # itself included
    return ((k - higher) / level).clamp(0, 1).to(torch.float32)
