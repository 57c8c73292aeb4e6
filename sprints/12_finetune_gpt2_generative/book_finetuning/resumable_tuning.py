"""Fine-tuning that may be interrupted: batches by number, gradients of several of them, the best weights on the disk.

Theory: notes/09_a_real_model.md
"""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import torch
from tqdm import tqdm

from shared.nn.pretrained import Logits
from shared.text.batches import Batch, pad_rows
from shared.training.checkpoints import (
    check_compatible,
    check_replaceable,
    load_checkpoint,
    restore,
    save_checkpoint,
)
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

ORDERS = 1_000_003  # seeds of the orders of epochs lie so far apart that those of two runs do not meet


@dataclass(frozen=True)
class TuningPlan:
    """How to tune, and when to score."""

    steps: int
    every: int
    rows: int
    accumulate: int
    learning_rate: float
    weight_decay: float
    precision: str
    seed: int


@dataclass
class TuningHistory:
    """After each scoring: the step, the mean loss of the steps since the last one, and the validation loss."""

    steps: list[int] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)

    @property
    def best_step(self) -> int:
        """The step with the lowest validation loss (the first of equals)."""
        return self.steps[self.validation.index(min(self.validation))]


def make_plan(
    blocks: int,
    epochs: int,
    rows: int,
    accumulate: int,
    every: int | None,
    learning_rate: float,
    weight_decay: float,
    precision: str,
    seed: int,
) -> TuningPlan:
    """Return how to train on so many blocks: whole epochs, scored after each, or `every` so many steps."""
    an_epoch = -(-blocks // (rows * accumulate))
    return TuningPlan(
        epochs * an_epoch, every or an_epoch, rows, accumulate, learning_rate, weight_decay, precision, seed
    )


def batches_from(blocks: list[list[int]], rows: int, seed: int, start: int = 0) -> Iterator[Batch]:
    """Yield batches of all blocks in an order that is drawn anew in each epoch, from batch number `start` on.

    The order of an epoch is a function of the seed and its number, so a run can go on at any batch.
    """
    per_epoch = -(-len(blocks) // rows)
    for epoch in itertools.count(start // per_epoch):
        generator = torch.Generator().manual_seed(seed * ORDERS + epoch)
        order = torch.randperm(len(blocks), generator=generator).tolist()
        for place in range(start % per_epoch if epoch == start // per_epoch else 0, per_epoch):
            yield pad_rows([blocks[number] for number in order[place * rows : (place + 1) * rows]])


def tune(
    model: "PreTrainedModel",
    blocks: list[list[int]],
    plan: TuningPlan,
    validate: Callable[[], float],
    keep: Callable[[], None],
    file: Path,
    config: Mapping[str, Any],
    *,
    resume: bool,
) -> TuningHistory:
    """Train in place, and keep what validates best.

    Args:
        model: to train; at the end it has the last weights, not the best ones.
        blocks: to learn from.
        plan: how, and when to score.
        validate: returns the loss that chooses.
        keep: is called when it is the lowest so far.
        file: the checkpoint, written after each scoring.
        config: what must be equal for a run to go on.
        resume: go on from the checkpoint, if there is one.

    Raises:
        ValueError: the checkpoint is of other options, or would be overwritten.
    """
    optimizers = make_optimizers(model, learning_rate=plan.learning_rate, weight_decay=plan.weight_decay)
    history, start = TuningHistory(), 0
    if resume and file.exists():
        checkpoint = load_checkpoint(file)
        check_compatible(checkpoint, config, file)
        start, history = restore(checkpoint, model, optimizers), TuningHistory(**checkpoint["extra"])
    else:
        check_replaceable(file, config, plan.steps)
    trained = train_steps(
        Logits(model),
        batches_from(blocks, plan.rows, plan.seed, start * plan.accumulate),
        loss_function=language_model_loss,
        optimizers=optimizers,
        steps=plan.steps,
        schedule=partial(warmup_linear, steps=plan.steps, warmup=min(20, plan.steps // 2)),
        accumulate=plan.accumulate,
        precision=plan.precision,
        start=start,
    )
    losses: list[float] = []
    for step, loss in (bar := tqdm(trained, initial=start, total=plan.steps, desc=file.stem, unit="step")):
        losses.append(loss)
        bar.set_postfix(loss=f"{loss:.3f}")
        if step % plan.every and step != plan.steps:
            continue
        history.steps.append(step)
        history.train.append(fmean(losses))
        history.validation.append(validate())
        losses.clear()
        if history.best_step == step:
            keep()
        save_checkpoint(
            file, model=model, optimizers=optimizers, step=step, config=config, data={}, extra=asdict(history)
        )
    return history
