"""One attempt to come closer to the optimum: a start, rates, and whether the weights on the way are averaged.

Theory: notes/10_getting_closer.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor, nn
from tqdm import tqdm

from book_finetuning.pretrained_gpt import prepare_for_book
from book_finetuning.training_on_blocks import block_batches
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED
from shared.text.books import Book
from shared.text.unseen_words import renew, unseen_tokens
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

# Makes a model ready in place, given the tokens that pre-training never showed and a generator.
Start = Callable[[GPT, Int[Tensor, " unseen"], torch.Generator], None]
LEARNING_RATE, MUON_LEARNING_RATE = 3e-3, 0.01  # the rates of finetune_on_book.py


@dataclass(frozen=True)
class Attempt:
    """How to tune on the book; the defaults are those of what_helps.py."""

    epochs: int = 12
    batch_size: int = 4
    factor: float = 1.0  # of both learning rates
    floor: float = 0.0  # what the schedule falls to, as a part of the peak
    average_from: float = 1.0  # part of the steps from which on weights are averaged; 1: not at all
    rename: float = 0.5
    weight_decay: float = 0.1


class Tuned(NamedTuple):
    """The model with its last weights, and with the mean of those on the way, if there is one."""

    last: GPT
    averaged: GPT | None


def fresh_vectors(model: GPT, unseen: Int[Tensor, " unseen"], generator: torch.Generator) -> None:
    """Give tokens that pre-training never showed new vectors around the mean of the others, as usual."""
    renew(model.token_embedding.weight, unseen, generator)


class RunningMean:
    """The mean of a model's weights over the calls of `add`, updated in place: mean += (weight - mean) / count."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.count = 0
        self.means = [torch.zeros_like(parameter) for parameter in model.parameters()]

    @torch.no_grad()
    def add(self) -> None:
        """Take the weights as they are now into the mean."""
        self.count += 1
        for mean, parameter in zip(self.means, self.model.parameters(), strict=True):
            mean += (parameter - mean) / self.count

    @torch.no_grad()
    def put_into(self, other: nn.Module) -> None:
        """Give the mean to a model of the same shape."""
        for mean, parameter in zip(self.means, other.parameters(), strict=True):
            parameter.copy_(mean)


def tune_on_book(book: Book, attempt: Attempt, seed: int, device: torch.device, start: Start = fresh_vectors) -> Tuned:
    """Tune the shipped model on a book.

    Args:
        book: whose training chapters are learnt.
        attempt: how.
        seed: of vectors, names and orders.
        device: to train on.
        start: makes the model ready.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model, source, _ = prepare_for_book(
        SHIPPED, book.train.scenes, generator, seed=seed, rename=attempt.rename, new_vectors=False
    )
    start(model.to(device), unseen_tokens(model.token_embedding.weight), generator)
    steps = attempt.epochs * -(-len(source()) // attempt.batch_size)
    trained = train_steps(
        model,
        block_batches(source, attempt.batch_size, torch.Generator().manual_seed(seed)),
        loss_function=language_model_loss,
        optimizers=make_optimizers(
            model,
            learning_rate=attempt.factor * LEARNING_RATE,
            muon_learning_rate=attempt.factor * MUON_LEARNING_RATE,
            weight_decay=attempt.weight_decay,
        ),
        steps=steps,
        schedule=partial(warmup_linear, steps=steps, warmup=min(20, steps // 2), floor=attempt.floor),
        precision="auto",
    )
    mean = RunningMean(model) if attempt.average_from < 1 else None
    for step, _ in tqdm(trained, total=steps, desc=f"factor {attempt.factor:g}, seed {seed}", unit="step"):
        if mean is not None and step > attempt.average_from * steps:
            mean.add()
    if mean is None:
        return Tuned(model, None)
    averaged = GPT(model.config).to(device)
    mean.put_into(averaged)
    return Tuned(model, averaged.eval())
