"""Training one classifier of products on rows that get longer, and the same search and seeds for every model."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from sequences.tasks import Moves, Rows, draw_rows, length_at, product_loss
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_cosine


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

    schedule = functools.partial(warmup_cosine, steps=plan.steps, warmup=max(1, plan.steps // 20), floor=0.01)
    optimizers = make_optimizers(model, learning_rate=rate)
    for _, loss in train_steps(
        model, rows(), loss_function=product_loss, optimizers=optimizers, steps=plan.steps, schedule=schedule
    ):
        yield loss


@dataclass(frozen=True)
class Searched:
    """The rate that was chosen for a model, and the loss in nats that each rate came to."""

    rate: float
    losses: dict[str, float]


def best_rate(
    loss_of: Callable[[float, int], float], rates: Sequence[float], seeds: Sequence[int], own: int
) -> Searched:
    """Train once with every rate and a seed of its own, and return the rate with the smallest loss.

    Args:
        loss_of: maps (rate, seed) to the loss on new rows.
        rates: learning rates to try.
        seeds: of the runs that are reported.
        own: seed of the search, which is none of them.

    Raises:
        ValueError: the seed of the search is one that is reported.
    """
    if own in seeds:
        raise ValueError(f"the search needs a seed of its own; {own} is among those reported, {list(seeds)}")
    if len(rates) == 1:
        return Searched(rates[0], {})
    losses = {f"{rate:g}": loss_of(rate, own) for rate in rates}
    return Searched(min(rates, key=lambda rate: losses[f"{rate:g}"]), losses)
