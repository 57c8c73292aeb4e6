"""The training loop of this sprint: whatever is trainable, on a book, until the validation chapter is learnt best.

Theory: notes/04_beside_full_fine_tuning.md
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn
from tqdm import tqdm

from adapter_study.base_model import loss_on
from adapter_study.model_defaults import block_length
from adapter_study.tuning_methods import trainable
from shared.nn.pretrained import Logits
from shared.text.batches import Batch, TextDataset, pad_rows
from shared.text.books import Book
from shared.training.keep_best import KeepBest
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear
from shared.training.shuffling import shuffled_rows

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class AdaptationSettings:
    """How to tune; what the scripts choose by default was chosen on the validation chapter."""

    epochs: int
    learning_rate: float
    batch_size: int = 4
    warmup: int = 20
    precision: str = "auto"
    block: int | None = None  # tokens read at once; None: what suits the model


@dataclass(frozen=True)
class ValidationCurve:
    """The loss on the validation chapter after each epoch, the best epoch (from 1), and seconds of training."""

    validation_losses: list[float]
    best_epoch: int
    seconds: float


def shuffled_blocks(blocks: list[list[int]], batch_size: int, generator: torch.Generator) -> Iterator[Batch]:
    """Yield batches of all blocks in random order, epoch after epoch."""
    for numbers in shuffled_rows(len(blocks), batch_size, generator):
        yield pad_rows([blocks[number] for number in numbers.tolist()])


def tune(
    model: "PreTrainedModel", book: Book, settings: AdaptationSettings, generator: torch.Generator
) -> ValidationCurve:
    """Train what is trainable, leave it as it was after the epoch that validates best, and return the curve."""
    # A document that is longer than a block is read in several: every token but the first is a target once.
    blocks = TextDataset(book.train.documents, block_length(model, settings.block)).blocks
    per_epoch = -(-len(blocks) // settings.batch_size)
    steps = settings.epochs * per_epoch
    trained = train_steps(
        Logits(model),
        shuffled_blocks(blocks, settings.batch_size, generator),
        loss_function=language_model_loss,
        optimizers=make_optimizers(model, learning_rate=settings.learning_rate),
        steps=steps,
        schedule=partial(warmup_linear, steps=steps, warmup=settings.warmup),
        precision=settings.precision,
    )
    best = KeepBest(nn.ParameterList(trainable(model).values()))
    losses: list[float] = []
    seconds, began = 0.0, time.perf_counter()
    for step, loss in (bar := tqdm(trained, total=steps, unit="step")):
        if step % per_epoch == 0:
            seconds += time.perf_counter() - began
            losses.append(loss_on(book.validation, model, settings.block))
            bar.set_postfix(loss=f"{loss:.3f}", validation=f"{losses[-1]:.3f}")
            best.update(losses[-1], step)
            began = time.perf_counter()
    best.restore()
    model.eval()
    return ValidationCurve(losses, best.best_step // per_epoch, seconds)
