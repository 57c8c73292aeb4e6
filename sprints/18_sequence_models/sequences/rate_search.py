"""What is the same in every comparison: how a model is trained with a rate, and how its rate is searched."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_cosine


def train_with_rate(
    model: nn.Module, batches: Iterator[Any], loss_function: Callable[..., Any], steps: int, rate: float, floor: float
) -> Iterator[float]:
    """Train a model with AdamW and a cosine schedule down to `floor` times the rate; yield the loss after each step."""
    schedule = functools.partial(warmup_cosine, steps=steps, warmup=max(1, steps // 20), floor=floor)
    optimizers = make_optimizers(model, learning_rate=rate)
    for _, loss in train_steps(
        model, batches, loss_function=loss_function, optimizers=optimizers, steps=steps, schedule=schedule
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
        raise ValueError(
            f"the search needs a seed of its own; {own} is among those reported, {list(seeds)}: take another"
        )
    if len(rates) == 1:
        return Searched(rates[0], {})
    losses = {f"{rate:g}": loss_of(rate, own) for rate in rates}
    return Searched(min(rates, key=lambda rate: losses[f"{rate:g}"]), losses)
