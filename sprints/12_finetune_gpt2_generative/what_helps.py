"""Which of the ways to learn more from a short book help? Leave out one at a time.

    uv run sprints/12_finetune_gpt2_generative/what_helps.py

Scored is the validation chapter alone: by this script, and longer runs of the same kind, the defaults of finetune.py
were chosen. Theory: notes/02_fine_tuning.md
"""

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from matplotlib.figure import Figure
from tqdm import tqdm

from book_finetuning.book_tuning import (
    BOOK,
    Book,
    Settings,
    load_book,
    load_gpt,
    recipes,
    renamed_blocks,
    tune,
)
from book_finetuning.renaming import Renamer
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run as run_script
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED
from shared.text.cookbook import Cookbook
from shared.text.unseen_words import renew, unseen_tokens


@dataclass(frozen=True)
class Ways:
    """What is done to learn more than the words of the book."""

    learning_rate: float = 3e-3
    muon_learning_rate: float = 0.01
    dropout: float = 0.0
    rename: float = 0.5
    renew: bool = True
    rehearse: bool = False


VARIANTS = {
    "the defaults": Ways(),
    "without renaming": Ways(rename=0),
    "without new vectors": Ways(renew=False),
    "without Muon": Ways(muon_learning_rate=0),
    "none of the three": Ways(rename=0, renew=False, muon_learning_rate=0),
    "a third of the rates": Ways(learning_rate=1e-3, muon_learning_rate=0.003),
    "with dropout of 0.1": Ways(dropout=0.1),
    "with rehearsal": Ways(rehearse=True),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    book: Path = BOOK  # a book of the cookbook
    epochs: int = 12  # times through the training chapters
    batch_size: int = 4  # recipes of a batch


@dataclass(frozen=True)
class Losses:
    """In nats per token: on the validation chapter, in the last epoch of training, and on the first voice."""

    validation: float
    training: float
    first_voice: float


@dataclass(frozen=True)
class Results:
    variants: dict[str, Losses]
    optimum: float | None


def run(config: Config, ways: Ways, book: Book, rehearsal: list[list[int]], name: str) -> tuple[float, GPT]:
    """Return the training loss of the last epoch, and the model."""
    generator = seed_everything(config.seed)
    model, tokenizer = load_gpt(SHIPPED, ways.dropout)
    unseen, context = unseen_tokens(model.token_embedding.weight), model.config.context - 1
    renamer = Renamer(model, tokenizer, book.train.scenes, unseen.tolist(), share=ways.rename)
    if ways.renew:
        renew(model.token_embedding.weight, unseen, generator)
    source = renamed_blocks(book.train.scenes, renamer, tokenizer, context, config.seed)
    per_epoch = -(-len(source()) // config.batch_size)
    settings = Settings(config.epochs * per_epoch, config.batch_size, ways.learning_rate, ways.muon_learning_rate)
    trained = tune(
        model.to(pick_device(config.device)), source, settings, generator, rehearsal if ways.rehearse else ()
    )
    losses = [loss for _, loss in tqdm(trained, desc=name, total=settings.steps, unit="step")]
    return fmean(losses[-per_epoch:]), model


def main(config: Config) -> Results:
    keep_freed_memory()
    _, tokenizer = load_gpt(SHIPPED)
    book, plain = load_book(config.book, tokenizer), Cookbook("plain")
    old, rehearsal = (recipes(plain, stream, 100, tokenizer) for stream in ("validation", "train"))
    variants = {}
    for name, ways in VARIANTS.items():
        training, model = run(config, ways, book, rehearsal.documents, name)
        variants[name] = found = Losses(book.validation.loss(model), training, old.loss(model))
        print(f"{name:<22}{found.validation:8.4f} validation, {training:.4f} training", end="")
        print(f", {found.first_voice:.4f} first voice")
    return Results(variants, book.validation.optimum(book.cookbook))


def plot(results: Results) -> Figure:
    """Draw the loss on the validation chapter with and without each."""
    figure, axes = new_figure()
    names = list(results.variants)[::-1]
    axes.barh(names, [results.variants[name].validation for name in names])
    if results.optimum is not None:
        axes.axvline(results.optimum, color="black", label="optimum")
        axes.legend(loc="lower right")
    axes.set(xlabel="validation chapter, nats per token")
    return figure


if __name__ == "__main__":
    run_script(main, Config, plot=plot)
