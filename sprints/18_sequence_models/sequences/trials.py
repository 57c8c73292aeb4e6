"""Training one model on rows of which some targets are scored, and the same search and seeds for every model."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from sequences.rate_search import best_rate, train_with_rate
from shared.training.losses import token_losses

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


def fit(model: nn.Module, draw: Draw, steps: int, rate: float, generator: torch.Generator) -> Iterator[float]:
    """Train a model with AdamW and a cosine schedule on fresh rows; yield the mean loss in nats after each step."""

    def rows() -> Iterator[ScoredRows]:
        while True:
            yield draw(generator)

    return train_with_rate(model, rows(), scored_loss, steps, rate, floor=0.1)


@torch.no_grad()
def predicted(
    model: nn.Module, rows: ScoredRows
) -> tuple[Bool[Tensor, "batch targets"], Float[Tensor, "batch targets"]]:
    """Return which targets are the model's most probable token, and the loss of each in nats."""
    model.eval()
    logits = model(rows[0][:, :-1])
    return logits.argmax(dim=-1) == rows[0][:, 1:], token_losses(logits, rows[0])


def search_and_repeat(
    run: Callable[[float, int], list[float]], rates: Sequence[float], seeds: Sequence[int], own: int
) -> Trials:
    """Run every learning rate once with a seed of its own, and the best one with every seed.

    Args:
        run: trains with (rate, seed) and returns what was measured; the first value is a loss, the less the better.
        rates: learning rates to try.
        seeds: seeds of the runs that are reported.
        own: seed of the search, which is none of them.

    Raises:
        ValueError: the seed of the search is one that is reported.
    """
    found = best_rate(lambda rate, seed: run(rate, seed)[0], rates, seeds, own)
    return Trials(found.rate, found.losses, [run(found.rate, seed) for seed in seeds])
