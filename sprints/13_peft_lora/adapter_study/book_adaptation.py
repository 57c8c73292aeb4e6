"""What the training scripts of this sprint share: a book in three parts, a base model, ways to tune it, and the loop.

Theory: notes/02_what_is_trained.md and notes/03_new_words.md
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn
from tqdm import tqdm

from adapter_study.tuning_methods import trainable
from shared.lab.paths import DATA
from shared.nn.pretrained import Logits, context_length, load_causal_model
from shared.text.batches import Batch, pad_rows
from shared.text.books import TextDataset, book_optimum, encode_scenes, read_book, split_chapters
from shared.text.cookbook import VOICES, Cookbook
from shared.text.unseen_words import renew, unseen_tokens
from shared.training.batches import shuffled_rows
from shared.training.keep_best import KeepBest
from shared.training.loop import train_steps
from shared.training.losses import evaluate_loss, language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

BOOK = DATA / "book.txt"


class Part(NamedTuple):
    """Documents as tokens between two end tokens, and the loss of the grammar that wrote them, if it is known."""

    documents: list[list[int]]
    optimum: float | None

    def loss(self, model: "PreTrainedModel", batch_size: int = 16) -> float:
        """Return a model's loss on the next token in nats per token."""
        blocks = TextDataset(self.documents, context_length(model))
        return evaluate_loss(Logits(model), blocks.batches(batch_size))[0]


class Book(NamedTuple):
    """Chapters to learn from, to choose by, and to be tested on once, and what may be forgotten meanwhile."""

    train: Part
    validation: Part
    test: Part
    first_voice: Part


def load_book(path: Path, tokenizer: "PreTrainedTokenizerBase", first_voice: int = 64) -> Book:
    """Return a book's last chapter as test, the one before as validation, and recipes of the first voice."""
    parts = []
    for chapters in split_chapters(read_book(path)):
        documents = encode_scenes(chapters, tokenizer)
        optima = (book_optimum(chapters, documents, Cookbook(voice)) for voice in VOICES)
        parts.append(Part(documents, next((optimum for optimum in optima if optimum is not None), None)))
    return Book(*parts, recipes(Cookbook(), "validation", first_voice, tokenizer))


def recipes(cookbook: Cookbook, stream: str, count: int, tokenizer: "PreTrainedTokenizerBase", start: int = 0) -> Part:
    """Return recipes of a stream as documents, with the grammar's own loss."""
    drawn = [cookbook.recipe(stream, index) for index in range(start, start + count)]
    end = int(tokenizer.eos_token_id)
    documents = [[end, *tokenizer.encode(recipe.text, add_special_tokens=False), end] for recipe in drawn]
    targets = sum(len(document) - 1 for document in documents)
    return Part(documents, -sum(recipe.log_prob for recipe in drawn) / targets)


def reordered_recipes(tokenizer: "PreTrainedTokenizerBase", count: int, first_voice: int = 64) -> Book:
    """Return recipes of the first voice with the method before the ingredients: known words, in an order never seen.

    The order can be undone, so a reordered recipe is as probable as the recipe, and the best possible loss is known.
    """
    cookbook, end = Cookbook(), int(tokenizer.eos_token_id)

    def part(stream: str, count: int) -> Part:
        drawn = [cookbook.recipe(stream, index) for index in range(count)]
        pieces = [recipe.text.split("\n\n") for recipe in drawn]  # title, ingredients, method, tip
        texts = ["\n\n".join((title, method, listed, *rest)) for title, listed, method, *rest in pieces]
        documents = [[end, *tokenizer.encode(text, add_special_tokens=False), end] for text in texts]
        targets = sum(len(document) - 1 for document in documents)
        return Part(documents, -sum(recipe.log_prob for recipe in drawn) / targets)

    parts = (part("train", count), part("validation", 28), part("test", 28))
    return Book(*parts, recipes(cookbook, "test", first_voice, tokenizer, start=1000))


def load_base(name: str, dropout: float, device: torch.device) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Return a model to tune, with this dropout, and its tokenizer."""
    model, tokenizer = load_causal_model(name)
    model.set_attn_implementation("eager")  # in bfloat16 on a CPU the fused kernel is slow in its backward pass
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = dropout
    return model.to(device), tokenizer


def renew_unseen(model: "PreTrainedModel", generator: torch.Generator) -> int:
    """Give each token that pre-training never showed a vector of its own, and return how many there are."""
    weight = model.get_input_embeddings().get_parameter("weight")
    unseen = unseen_tokens(weight)
    renew(weight, unseen, generator)
    return len(unseen)


def epochs(documents: list[list[int]], batch_size: int, generator: torch.Generator, longest: int) -> Iterator[Batch]:
    """Yield batches of all documents in random order, epoch after epoch."""
    for rows in shuffled_rows(len(documents), batch_size, generator):
        yield pad_rows([documents[row] for row in rows.tolist()], longest)


@dataclass(frozen=True)
class Settings:
    """How to tune; what the scripts choose by default was chosen on the validation chapter."""

    epochs: int
    learning_rate: float
    batch_size: int = 4
    warmup: int = 20
    precision: str = "auto"


@dataclass(frozen=True)
class Curve:
    """The loss on the validation chapter after each epoch, the best epoch (from 1), and seconds of training."""

    validation_losses: list[float]
    best_epoch: int
    seconds: float


def tune(model: "PreTrainedModel", book: Book, settings: Settings, generator: torch.Generator) -> Curve:
    """Train what is trainable, leave it as it was after the epoch that validates best, and return the curve."""
    documents = book.train.documents
    per_epoch = -(-len(documents) // settings.batch_size)
    steps = settings.epochs * per_epoch
    trained = train_steps(
        Logits(model),
        epochs(documents, settings.batch_size, generator, context_length(model) + 1),
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
            losses.append(book.validation.loss(model))
            bar.set_postfix(loss=f"{loss:.3f}", validation=f"{losses[-1]:.3f}")
            best.update(losses[-1], step)
            began = time.perf_counter()
    best.restore()
    model.eval()
    return Curve(losses, best.best_step // per_epoch, seconds)
