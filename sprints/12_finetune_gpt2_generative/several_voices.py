"""Is a voice learnt faster by a model that has met many of them?

    uv run sprints/12_finetune_gpt2_generative/several_voices.py
    uv run sprints/12_finetune_gpt2_generative/several_voices.py --voices 0 100 --steps 3000 --seeds 3

Before the book, pre-training goes on with recipes in invented voices, or, with as many steps, in the plain one. Then
each model is tuned on the book in the same way. Theory: notes/10_getting_closer.md
"""

from dataclasses import dataclass
from functools import partial
from statistics import fmean

from matplotlib.figure import Figure

from book_finetuning.attempts import Attempt, fresh_vectors, tune_on_book
from book_finetuning.invented_voices import go_on_pretraining
from book_finetuning.training_on_blocks import loss_on
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile, Fraction, NonNegativeInt, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device
from shared.nn.pretrained import load_tokenizer
from shared.text.books import SHIPPED_BOOK, open_book

AS_IT_IS = "no further pre-training"


@dataclass(frozen=True)
class Config(ScriptConfig):
    book: ExistingFile = SHIPPED_BOOK  # a text in chapters
    voices: tuple[NonNegativeInt, ...] = (0, 10, 100)  # invented voices (0: the plain one, with as many steps)
    share: Fraction = 0.5  # of the words of the voice that an invented one exchanges
    steps: PositiveInt = 600  # steps of further pre-training
    rows: PositiveInt = 8  # recipes of a batch of it
    epochs: PositiveInt = 12  # times through the training chapters
    batch_size: PositiveInt = 4  # scenes of a batch
    seeds: PositiveInt = 1  # runs of each


@dataclass(frozen=True)
class Results:
    """Losses on the validation chapter, by what came before the book and by seed."""

    validation: dict[str, list[float]]
    optimum: float | None


def main(config: Config) -> Results:
    keep_freed_memory()
    tokenizer, device = load_tokenizer(), pick_device(config.device)
    book, attempt = open_book(config.book, tokenizer), Attempt(config.epochs, config.batch_size)
    starts = {AS_IT_IS: fresh_vectors} | {
        f"{voices} invented voices" if voices else "the plain voice": partial(
            go_on_pretraining, tokenizer=tokenizer, voices=voices, share=config.share, steps=config.steps,
            rows=config.rows,
        )
        for voices in config.voices
    }  # fmt: skip
    validation = {}
    for name, start in starts.items():
        validation[name] = [
            loss_on(book.validation, tune_on_book(book, attempt, seed, device, start).last)
            for seed in range(config.seed, config.seed + config.seeds)
        ]
        print(f"{name}: {fmean(validation[name]):.4f}")
    return Results(validation, book.validation.optimum)


def plot(results: Results) -> Figure:
    """Draw the loss by what came before the book, a point for each seed."""
    figure, axes = new_figure(7, 3)
    for place, losses in enumerate(results.validation.values()):
        axes.plot(losses, [place] * len(losses), "o")
        axes.plot(fmean(losses), place, "|", color="black", markersize=16)
    axes.set_yticks(range(len(results.validation)), list(results.validation))
    axes.invert_yaxis()
    axes.set(xlabel="validation chapter, nats per token", ylim=(len(results.validation) - 0.5, -0.5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"validation.*": TRAINED})
