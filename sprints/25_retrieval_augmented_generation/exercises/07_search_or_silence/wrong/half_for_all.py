"""Answers above one half, whatever an error costs."""

import torch
from torch import Tensor


def needed_hits(good: Tensor, misled: Tensor, closed: Tensor) -> Tensor:
    """Return where h good + (1 - h) misled is as much as the closed book."""
    return (closed.mean() - misled.mean()) / (good.mean() - misled.mean())


def gain(hits: Tensor, good: Tensor, misled: Tensor, closed: Tensor) -> Tensor:
    """Return the mean over questions of what the search changes: hits and good may belong together."""
    return (hits * good + (1 - hits) * misled - closed).mean()


def best_points(beliefs: Tensor, price: float) -> Tensor:
    """Return the mean of what an answer is worth, or 0 where it is worth less."""
    return torch.where(beliefs > 0.5, beliefs - price * (1 - beliefs), 0.0).mean()


def errors_by_answers(sure: Tensor, beliefs: Tensor) -> Tensor:
    """Return the running mean of the errors, in falling order of what the reader says."""
    errors = (1 - beliefs)[sure.argsort(descending=True)]
    return errors.cumsum(0) / torch.arange(1, len(errors) + 1)
