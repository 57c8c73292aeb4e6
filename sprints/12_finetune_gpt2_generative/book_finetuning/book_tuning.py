"""What the scripts of this sprint share: a book in three parts, a model to tune, and the steps of the tuning.

Theory: notes/01_books_and_splits.md and notes/02_fine_tuning.md
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch.optim import Optimizer
from transformers import GPT2LMHeadModel

from book_finetuning.renaming import Renamer
from shared.lab.files import replacing_folder
from shared.lab.paths import DATA, RUNS
from shared.nn.gpt import GPT
from shared.nn.pretrained import load_causal_model
from shared.text.batches import Batch, pad_rows
from shared.text.books import Chapter, TextDataset, book_optimum, encode_scenes, read_book, split_chapters
from shared.text.cookbook import VOICES, Cookbook
from shared.text.unseen_words import renew, unseen_tokens
from shared.training.loop import train_steps
from shared.training.losses import evaluate_loss, language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

Blocks = Sequence[Sequence[int]]
BOOK = DATA / "book.txt"
TUNED_MODEL = RUNS / "12_finetune_gpt2_generative" / "finetune" / "checkpoints" / "finetuned"


class Part(NamedTuple):
    """Chapters of a book, and their scenes as tokens between two end tokens."""

    chapters: tuple[Chapter, ...]
    documents: list[list[int]]

    @property
    def scenes(self) -> list[str]:
        """The scenes of all chapters."""
        return [scene for chapter in self.chapters for scene in chapter.scenes]

    def loss(self, model: GPT, batch_size: int = 16) -> float:
        """Return a model's loss on the next token, in nats per token, over disjoint blocks."""
        blocks = TextDataset(self.documents, model.config.context - 1)
        return evaluate_loss(model, blocks.batches(batch_size))[0]

    def optimum(self, cookbook: Cookbook | None) -> float | None:
        """Return the loss of the grammar itself, in nats per token; None if no grammar is known."""
        return None if cookbook is None else book_optimum(self.chapters, self.documents, cookbook)


class Book(NamedTuple):
    """The three parts of a book, and the cookbook that wrote it, if one did."""

    train: Part
    validation: Part
    test: Part
    cookbook: Cookbook | None


def load_book(path: Path, tokenizer: "PreTrainedTokenizerBase", validation: int = 1, test: int = 1) -> Book:
    """Return a book in three parts, the last chapters to validate and to test (errors as in `shared.text.books`)."""
    chapters = read_book(path)
    split = split_chapters(chapters, validation, test)
    parts = (Part(chapters, encode_scenes(chapters, tokenizer)) for chapters in split)
    first = chapters[0].scenes[0]
    writer = next((cookbook for cookbook in map(Cookbook, VOICES) if cookbook.log_prob(first) > -math.inf), None)
    return Book(*parts, writer)


def recipes(cookbook: Cookbook, stream: str, count: int, tokenizer: "PreTrainedTokenizerBase", start: int = 0) -> Part:
    """Return recipes of one of a cookbook's endless streams as a chapter."""
    scenes = tuple(cookbook.recipe(stream, index).text for index in range(start, start + count))
    chapters = (Chapter(f"# {stream}", scenes),)
    return Part(chapters, encode_scenes(chapters, tokenizer))


def load_gpt2(name: str) -> tuple[GPT2LMHeadModel, "PreTrainedTokenizerBase"]:
    """Return a GPT-2 of transformers and its tokenizer.

    Raises:
        ValueError: the model cannot be loaded, or is no GPT-2.
    """
    model, tokenizer = load_causal_model(name)
    if not isinstance(model, GPT2LMHeadModel):
        raise ValueError(f"the scripts here tune models of GPT-2's kind; {name} is a {type(model).__name__}")
    return model, tokenizer


def load_gpt(name: str, dropout: float = 0.0) -> tuple[GPT, "PreTrainedTokenizerBase"]:
    """Return the same as our `GPT`, which trains faster on a CPU, with another dropout; errors as in `load_gpt2`."""
    model, tokenizer = load_gpt2(name)
    model.config.resid_pdrop = model.config.embd_pdrop = model.config.attn_pdrop = dropout
    return GPT.from_transformers(model).eval(), tokenizer


def save_gpt(model: GPT, tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Write a model and its tokenizer as transformers does, whole or not at all."""
    with replacing_folder(folder) as temporary:
        model.to_transformers().save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)


def prepare(name: str, generator: torch.Generator, dropout: float = 0.0) -> GPT:
    """Return a model that is ready to learn new words."""
    model, _ = load_gpt(name, dropout)
    weight = model.token_embedding.weight
    renew(weight, unseen_tokens(weight), generator)
    return model


@dataclass(frozen=True)
class Settings:
    """How to tune; the rates were chosen on the validation chapter of the default book."""

    steps: int
    batch_size: int = 4
    learning_rate: float = 3e-3
    muon_learning_rate: float = 0.01
    weight_decay: float = 0.1


def optimizers_of(model: GPT, settings: Settings) -> list[Optimizer]:
    """Return Muon for the matrices of the blocks and AdamW for the rest; AdamW for all if Muon's rate is 0."""
    return make_optimizers(
        model,
        learning_rate=settings.learning_rate,
        muon_learning_rate=settings.muon_learning_rate or None,
        weight_decay=settings.weight_decay,
    )


def renamed_blocks(
    scenes: Sequence[str], renamer: Renamer, tokenizer: "PreTrainedTokenizerBase", context: int, seed: int
) -> Callable[[], Blocks]:
    """Return a source that names other things in the scenes in every epoch."""
    generator = torch.Generator().manual_seed(seed)

    def fresh() -> Blocks:
        renamed = tuple(renamer.rename(scene, generator) for scene in scenes)
        return TextDataset(encode_scenes([Chapter("", renamed)], tokenizer), context).blocks

    return fresh


def epochs(
    source: Callable[[], Blocks], batch_size: int, generator: torch.Generator, rehearsal: Blocks = ()
) -> Iterator[Batch]:
    """Yield batches of all blocks in random order, epoch after epoch without end.

    Args:
        source: returns the blocks of the next epoch.
        batch_size: blocks of a batch.
        generator: draws the orders.
        rehearsal: documents of another kind; one is added to each batch, in turn.
    """
    others = itertools.cycle(rehearsal)
    while True:
        blocks = source()
        order = torch.randperm(len(blocks), generator=generator).tolist()
        for start in range(0, len(order), batch_size):
            rows = [blocks[index] for index in order[start : start + batch_size]]
            yield pad_rows([*rows, next(others)] if rehearsal else rows)


def tune(
    model: GPT,
    source: Callable[[], Blocks],
    settings: Settings,
    generator: torch.Generator,
    rehearsal: Blocks = (),
    optimizers: list[Optimizer] | None = None,
    precision: str = "auto",
) -> Iterator[tuple[int, float]]:
    """Train, and yield the number of steps done and the loss after each step, as `train_steps` does."""
    return train_steps(
        model,
        epochs(source, settings.batch_size, generator, rehearsal),
        loss_function=language_model_loss,
        optimizers=optimizers or optimizers_of(model, settings),
        steps=settings.steps,
        schedule=partial(warmup_linear, steps=settings.steps, warmup=min(20, settings.steps // 2)),
        precision=precision,
    )
