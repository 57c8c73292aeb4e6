"""The same search of the learning rate and the same seeds for every model that is compared."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from torch import nn

from shared.training.loop import LossFunction, train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_cosine

Measured = TypeVar("Measured")
SEARCH_SEED = 1000  # added to the seed of a search: none of the reported runs has it


def fit(
    model: nn.Module, batches: Iterator[Any], loss_function: LossFunction, steps: int, rate: float
) -> Iterator[float]:
    """Train with AdamW, a short warm-up and a cosine down to a tenth of the rate; yield the loss of each step."""
    schedule = partial(warmup_cosine, steps=steps, warmup=max(1, steps // 20))
    optimizers = make_optimizers(model, learning_rate=rate)
    training = train_steps(
        model, batches, loss_function=loss_function, optimizers=optimizers, steps=steps, schedule=schedule
    )
    yield from (loss for _, loss in training)


@dataclass(frozen=True)
class Trials(Generic[Measured]):
    """What was measured of one model with each seed, the rate it had, and the loss that each rate came to."""

    rate: float
    searched: dict[str, float]
    runs: list[Measured]


def search_and_repeat(
    run: Callable[[float, int], Measured],
    loss_of: Callable[[Measured], float],
    rates: Sequence[float],
    seeds: int,
    first_seed: int,
) -> Trials[Measured]:
    """Train once with every rate and a seed of its own, and with the best rate for each of the seeds.

    Args:
        run: trains with (rate, seed) and returns what was measured.
        loss_of: the loss, on validation texts, of what was measured: the less, the better the rate.
        rates: learning rates to try.
        seeds: how many runs are reported.
        first_seed: of those.
    """
    searched = {rate: loss_of(run(rate, first_seed + SEARCH_SEED)) for rate in rates} if len(rates) > 1 else {}
    best = min(searched, key=searched.__getitem__) if searched else rates[0]
    shown = {f"{rate:g}": loss for rate, loss in searched.items()}
    return Trials(best, shown, [run(best, first_seed + index) for index in range(seeds)])
