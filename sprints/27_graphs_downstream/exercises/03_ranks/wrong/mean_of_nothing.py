"""The mean of nothing."""

import torch
from torch import Tensor


def filtered_ranks(scores: Tensor, answers: Tensor, known: Tensor) -> Tensor:
    """Return the rank of each answer among those that are left, as (questions,) of float64."""
    if scores.isnan().any():
        raise ValueError(f"scores must be numbers; {int(scores.isnan().sum())} are NaN")
    own = scores.gather(1, answers[:, None])
    others = ~known
    others = others.scatter(1, answers[:, None], torch.zeros_like(answers[:, None], dtype=torch.bool))
    above = ((scores > own) & others).sum(1)
    level = ((scores == own) & others).sum(1)
    return 1 + above.double() + level.double() / 2


def mean_reciprocal_rank(ranks: Tensor) -> float:
    """Return the mean of 1 / rank."""
    return (1 / ranks).mean().item()
