"""Whoever is level counts as behind."""

import torch
from torch import Tensor


def recall(scores: Tensor, right: Tensor, k: int) -> Tensor:
    own = scores.gather(1, right[:, None])  # (queries, 1)
    higher = (scores > own).sum(dim=1)
    return (higher < k).to(torch.float32)
