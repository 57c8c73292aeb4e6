"""Do new words start better from what the old model expected in their places?

    uv run sprints/12_finetune_gpt2_generative/vectors_from_contexts.py
    uv run sprints/12_finetune_gpt2_generative/vectors_from_contexts.py --seeds 1 --epochs 4

Three starts for words that pre-training never showed: around the mean of the others, at the mean, and at the mean of
the vectors that the old model expected where the training chapters use them. Theory: notes/10_getting_closer.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import torch
from matplotlib.figure import Figure
from torch import Tensor

from book_finetuning.attempts import Attempt, Start, tune_on_book
from book_finetuning.context_vectors import expected_vectors
from book_finetuning.pretrained_gpt import load_gpt
from book_finetuning.training_on_blocks import loss_on
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile, NonNegativeFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED, load_tokenizer
from shared.text.books import SHIPPED_BOOK, open_book
from shared.text.unseen_words import renew, unseen_tokens


@dataclass(frozen=True)
class Config(ScriptConfig):
    book: ExistingFile = SHIPPED_BOOK  # a text in chapters
    epochs: PositiveInt = 12  # times through the training chapters
    batch_size: PositiveInt = 4  # scenes of a batch
    spread: NonNegativeFloat = 0.1  # noise around what was expected, in standard deviations of the other vectors
    seeds: PositiveInt = 3  # runs of each


@dataclass(frozen=True)
class Results:
    """Losses on the validation chapter by start and seed, and how many new words the training chapters use."""

    validation: dict[str, list[float]]
    words_with_a_context: int
    optimum: float | None


def around_the_mean(model: GPT, unseen: Tensor, generator: torch.Generator, spread: float) -> None:
    """Start at the mean of the other vectors, with noise."""
    renew(model.token_embedding.weight, unseen, generator, spread)


def from_contexts(
    model: GPT, unseen: Tensor, generator: torch.Generator, documents: Sequence[Sequence[int]], spread: float
) -> None:
    """Start at what the old model expected; words that the documents lack start at the mean of the others."""
    expected, counts = expected_vectors(model, documents, unseen)
    weight = model.token_embedding.weight
    renew(weight, unseen, generator, spread)
    used = counts > 0
    with torch.no_grad():
        # What `renew` drew around the mean is moved to lie around what was expected.
        known = torch.ones(len(weight), dtype=torch.bool, device=weight.device).index_fill_(0, unseen, False)
        weight[unseen[used]] += expected[used] - weight[known].mean(dim=0)


def main(config: Config) -> Results:
    keep_freed_memory()
    book, device = open_book(config.book, load_tokenizer()), pick_device(config.device)
    starts: dict[str, Start] = {
        "around the mean": partial(around_the_mean, spread=0.3),
        "at the mean": partial(around_the_mean, spread=0.0),
        "what was expected there": partial(from_contexts, documents=book.train.documents, spread=config.spread),
    }
    attempt, validation = Attempt(config.epochs, config.batch_size), {}
    for name, start in starts.items():
        validation[name] = [
            loss_on(book.validation, tune_on_book(book, attempt, seed, device, start).last)
            for seed in range(config.seed, config.seed + config.seeds)
        ]
        print(f"{name}: {fmean(validation[name]):.4f}", [round(loss, 4) for loss in validation[name]])
    old, _ = load_gpt(SHIPPED)
    _, uses = expected_vectors(old, book.train.documents, unseen_tokens(old.token_embedding.weight))
    return Results(validation, int((uses > 0).sum()), book.validation.optimum)


def plot(results: Results) -> Figure:
    """Draw the loss of each start, a point for each seed."""
    figure, axes = new_figure(7, 3)
    for place, (name, losses) in enumerate(results.validation.items()):
        axes.plot(losses, [place] * len(losses), "o", label=name)
        axes.plot(fmean(losses), place, "|", color="black", markersize=16)
    axes.set_yticks(range(len(results.validation)), list(results.validation))
    axes.invert_yaxis()
    axes.set(xlabel="validation chapter, nats per token (points: seeds, lines: means)", ylim=(2.5, -0.5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"validation.*": TRAINED})
