"""Methods that may spend the same number of decoder tokens, each at the learning rate that a search found for it."""

import copy
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from statistics import mean
from typing import Any, NamedTuple

import torch

from seq2seq_study.professor_forcing import ProfessorForcing
from seq2seq_study.sequences import SequencePair
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.runtime import seed_everything
from shared.nn.seq2seq import EncoderDecoder
from shared.training.loop import NonFiniteTraining, train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

# Makes a loss function out of the steps that it will be called for and a generator of draws.
MakeLoss = Callable[[int, torch.Generator], Any]
MEASURED_STEPS = 3


class Start(NamedTuple):
    """A model to go on from, its stream of data, and the seed of what a method draws."""

    model: EncoderDecoder
    stream: Callable[[], Iterator[SequencePair]]
    seed: int


class Spent(NamedTuple):
    """The steps of a method, the decoder's tokens and passes in all, and how its judge did, if it has one."""

    steps: int
    tokens: int
    passes: int
    judge: list[float] | None


@dataclass(frozen=True)
class MethodAtBest:
    """A method at its best rate: means and halves of 95 % intervals over the seeds, and paired differences.

    Args:
        rate: the learning rate with the best mean of `by_rate`; `at_edge` if it is the smallest or largest tried.
        by_rate: mean validation score of each rate over the search's seeds; higher is better.
        steps, tokens, passes: means over the seeds; tokens and passes relative to the control.
        judge: how often the judge was right in the second half, and in how many steps the model heard it.
    """

    rate: float
    at_edge: bool
    by_rate: dict[str, float]
    metrics: dict[str, MeanInterval]
    differences: dict[str, MeanInterval]
    steps: float
    tokens: float
    passes: float
    judge: list[float] | None


@contextmanager
def counted(model: EncoderDecoder) -> Generator[list[int]]:
    """Note, while it lasts, the tokens of each pass through the decoder."""
    passes: list[int] = []
    handle = model.decoder.input.register_forward_pre_hook(
        lambda module, inputs: passes.append(inputs[0].numel())  # noqa: ARG005 (the signature is PyTorch's)
    )
    try:
        yield passes
    finally:
        handle.remove()


def tokens_of_a_step(start: Start, make_loss: MakeLoss) -> float:
    """Return the mean tokens of a step, by a few steps that change nothing."""
    trial, draws, batches = copy.deepcopy(start.model), torch.Generator().manual_seed(start.seed), start.stream()
    loss_of = make_loss(MEASURED_STEPS, draws)
    with counted(trial) as passes:
        for _ in range(MEASURED_STEPS):
            loss_of(trial, next(batches))
    return sum(passes) / MEASURED_STEPS


def go_on(start: Start, make_loss: MakeLoss, rate: float, budget: float, judge_share: float) -> tuple[Any, Spent]:
    """Return a copy of the start trained with a method until the budget of tokens is spent, and what was spent.

    Args:
        start: is left as it is.
        make_loss: of the method.
        rate: peak learning rate.
        budget: tokens through the decoder, with a teacher or without.
        judge_share: of the budget, what a judge may learn from alone before.
    """
    model = copy.deepcopy(start.model)
    seed_everything(start.seed)  # the same judge for all
    cost, draws = tokens_of_a_step(start, make_loss), torch.Generator().manual_seed(start.seed)
    steps = max(1, int(budget / cost))
    judged = isinstance(make_loss(steps, draws), ProfessorForcing)
    steps = max(1, int((1 - judge_share) * steps)) if judged else steps
    seed_everything(start.seed)
    loss_of = make_loss(steps, draws)
    with counted(model) as passes:
        if isinstance(loss_of, ProfessorForcing):
            loss_of.teach(model, start.stream(), int(judge_share * budget / cost))
        schedule = partial(warmup_linear, steps=steps, warmup=max(1, steps // 20))
        # A rate that is too high may diverge: what the model was before that step is what the rate leads to.
        with suppress(NonFiniteTraining):
            for _ in train_steps(
                model, start.stream(), loss_function=loss_of, optimizers=make_optimizers(model, learning_rate=rate),
                steps=steps, schedule=schedule,
            ):  # fmt: skip
                pass
    model.eval()
    judge = None
    if isinstance(loss_of, ProfessorForcing):
        late = loss_of.accuracies[steps // 2 :] or loss_of.accuracies
        judge = [mean(late), mean(float(accuracy > loss_of.hear_above) for accuracy in loss_of.accuracies)]
    return model, Spent(steps, sum(passes), len(passes), judge)


def summarise_best(
    by_rate: dict[float, list[float]],
    metrics: list[dict[str, float]],
    spent: list[Spent],
    control: tuple[list[dict[str, float]], list[Spent]],
) -> MethodAtBest:
    """Return a method's row.

    Args:
        by_rate: validation scores of the search by rate, a score for each of its seeds.
        metrics, spent: of each seed, at the best rate.
        control: metrics and costs of the method that all are compared with, seed by seed.
    """
    scores = {rate: mean(values) for rate, values in by_rate.items()}
    rate = best_rate(by_rate)
    before, costs = control
    judges = [one.judge for one in spent if one.judge is not None]
    return MethodAtBest(
        rate=rate,
        at_edge=rate in (min(scores), max(scores)),
        by_rate={f"{rate:g}": score for rate, score in scores.items()},
        metrics={key: mean_interval([one[key] for one in metrics]) for key in metrics[0]},
        differences={
            key: mean_interval([one[key] - other[key] for one, other in zip(metrics, before, strict=True)])
            for key in metrics[0]
        },
        steps=mean(one.steps for one in spent),
        tokens=sum(one.tokens for one in spent) / sum(one.tokens for one in costs),
        passes=sum(one.passes for one in spent) / sum(one.passes for one in costs),
        judge=[mean(values) for values in zip(*judges, strict=True)] or None,
    )


def best_rate(by_rate: dict[float, list[float]]) -> float:
    """Return the rate with the best mean score."""
    return max(by_rate, key=lambda rate: mean(by_rate[rate]))
