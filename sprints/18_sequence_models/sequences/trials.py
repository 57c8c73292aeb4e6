"""Training one model on rows of which some targets are scored, and the same search and seeds for every model."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from sequences.memory_models import Arm
from shared.training.loop import train_steps
from shared.training.losses import token_losses
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_cosine

# Tokens (batch, tokens), and which targets count: True at t says that token t + 1 is scored.
ScoredRows = tuple[Int[Tensor, "batch tokens"], Bool[Tensor, "batch targets"]]
Draw = Callable[[torch.Generator], ScoredRows]


@dataclass(frozen=True)
class Trials:
    """The runs of one model: the rate that was chosen, what every rate came to, and the result of each seed."""

    rate: float
    searched: dict[str, float]
    values: list[list[float]]


def scored_loss(model: nn.Module, batch: ScoredRows) -> tuple[Tensor, int]:
    """Return the summed loss of the scored targets in nats, and their number."""
    tokens, scored = batch
    return token_losses(model(tokens[:, :-1]), tokens)[scored].sum(), int(scored.sum())


def fit(model: nn.Module, draw: Draw, steps: int, rate: float, generator: torch.Generator) -> Iterator[int]:
    """Train a model with AdamW and a cosine schedule on fresh rows; yield after each step."""

    def rows() -> Iterator[ScoredRows]:
        while True:
            yield draw(generator)

    schedule = functools.partial(warmup_cosine, steps=steps, warmup=max(1, steps // 20))
    optimizers = make_optimizers(model, learning_rate=rate)
    for step, _ in train_steps(
        model, rows(), loss_function=scored_loss, optimizers=optimizers, steps=steps, schedule=schedule
    ):
        yield step


@torch.no_grad()
def predicted(
    model: nn.Module, rows: ScoredRows
) -> tuple[Bool[Tensor, "batch targets"], Float[Tensor, "batch targets"]]:
    """Return which targets are the model's most probable token, and the loss of each in nats."""
    model.eval()
    logits = model(rows[0][:, :-1])
    return logits.argmax(dim=-1) == rows[0][:, 1:], token_losses(logits, rows[0])


def search_and_repeat(
    run: Callable[[Arm, float, int], list[float]], arm: Arm, rates: Sequence[float], seeds: Sequence[int], search: int
) -> Trials:
    """Run every learning rate once with a seed of its own, and the best one with every seed.

    Args:
        run: trains (arm, rate, seed) and returns what was measured; the first value is a loss, the less the better.
        arm: the model.
        rates: learning rates to try.
        seeds: seeds of the runs that are reported.
        search: seed of the search, which is none of them.

    Raises:
        ValueError: the seed of the search is one that is reported.
    """
    if search in seeds:
        raise ValueError(f"the search needs a seed of its own; {search} is among those reported, {list(seeds)}")
    searched = {f"{rate:g}": run(arm, rate, search)[0] for rate in rates} if len(rates) > 1 else {}
    rate = min(rates, key=lambda rate: searched[f"{rate:g}"]) if searched else rates[0]
    return Trials(rate, searched, [run(arm, rate, seed) for seed in seeds])
