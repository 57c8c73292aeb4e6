"""Training one classifier of products on rows that get longer."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from sequences.rate_search import train_with_rate
from sequences.tasks import Moves, Rows, draw_rows, length_at, product_loss


@dataclass(frozen=True)
class Plan:
    """How every model of a comparison is trained.

    Args:
        steps: optimizer steps.
        batch_size: rows of a batch.
        longest: tokens of the longest rows.
        growing: the part of the training in which rows get longer, from 2 tokens on.
    """

    steps: int
    batch_size: int
    longest: int
    growing: float


def fit(model: nn.Module, moves: Moves, plan: Plan, rate: float, generator: torch.Generator) -> Iterator[float]:
    """Train a model with AdamW and a cosine schedule on fresh rows; yield the mean loss in nats after each step."""

    def rows() -> Iterator[Rows]:
        for step in range(plan.steps):
            length = length_at(step, plan.steps, plan.longest, plan.growing)
            yield draw_rows(moves, plan.batch_size, length, generator)

    return train_with_rate(model, rows(), product_loss, plan.steps, rate, floor=0.01)
