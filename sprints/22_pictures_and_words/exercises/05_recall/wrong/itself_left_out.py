"""The right candidate is not level with itself."""

import torch
from torch import Tensor


def recall(scores: Tensor, right: Tensor, k: int) -> Tensor:
    own = scores.gather(1, right[:, None])  # (queries, 1)
    higher = (scores > own).sum(dim=1)
    level = (scores == own).sum(dim=1) - 1
    return ((k - higher) / level).clamp(0, 1).to(torch.float32)
