"""Which of the ways to learn more from a short book help? Leave out one at a time.

    uv run sprints/12_finetune_gpt2_generative/what_helps.py
    uv run sprints/12_finetune_gpt2_generative/what_helps.py --preset full

Scored is the validation chapter alone: by this script, and longer runs of the same kind, the defaults of
finetune_on_book.py were chosen. Without a preset two models learn, with other names in the book and without; --preset
full leaves out everything else in turn, too. Theory: notes/03_new_words_and_other_names.md
"""

from dataclasses import dataclass
from statistics import fmean
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field
from tqdm import tqdm

from book_finetuning.pretrained_gpt import prepare_for_book
from book_finetuning.training_on_blocks import FineTuningSettings, fine_tune, loss_on
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, ExistingFile, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED, load_tokenizer
from shared.text.books import SHIPPED_BOOK, Book, open_book, recipe_part
from shared.text.cookbook import Cookbook


@dataclass(frozen=True)
class Variant:
    """What is done to learn more than the words of the book."""

    learning_rate: float = 3e-3
    muon_learning_rate: float = 0.01
    dropout: float = 0.0
    rename: float = 0.5
    renew: bool = True
    rehearse: bool = False


VARIANTS = {
    "the defaults": Variant(),
    "without renaming": Variant(rename=0.0),
    "without new vectors": Variant(renew=False),
    "without Muon": Variant(muon_learning_rate=0.0),
    "none of the three": Variant(rename=0.0, renew=False, muon_learning_rate=0.0),
    "a third of the rates": Variant(learning_rate=1e-3, muon_learning_rate=0.003),
    "with dropout of 0.1": Variant(dropout=0.1),
    "with rehearsal": Variant(rehearse=True),
}
PRESETS = {"full": {"variants": tuple(VARIANTS), "epochs": 12}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    book: ExistingFile = SHIPPED_BOOK  # a book of the cookbook
    # which to train
    variants: Annotated[tuple[str, ...], Field(min_length=1), Different] = ("the defaults", "without renaming")
    epochs: PositiveInt = 9  # times through the training chapters
    batch_size: PositiveInt = 4  # recipes of a batch

    def check(self) -> None:
        if unknown := [name for name in self.variants if name not in VARIANTS]:
            raise ValueError(f"--variants must be out of {', '.join(VARIANTS)}; got {unknown[0]!r}")


@dataclass(frozen=True)
class VariantLosses:
    """In nats per token: on the validation chapter, in the last epoch of training, and on the first voice."""

    validation: float
    training: float
    first_voice: float


@dataclass(frozen=True)
class Results:
    variants: dict[str, VariantLosses]
    optimum: float | None


def train(config: Config, variant: Variant, book: Book, rehearsal: list[list[int]], name: str) -> tuple[float, GPT]:
    """Return the training loss of the last epoch, and the model."""
    generator = seed_everything(config.seed)
    ways = {"dropout": variant.dropout, "rename": variant.rename, "new_vectors": variant.renew}
    model, source, _ = prepare_for_book(SHIPPED, book.train.scenes, generator, seed=config.seed, **ways)
    per_epoch = -(-len(source()) // config.batch_size)
    rates = (variant.learning_rate, variant.muon_learning_rate)
    settings = FineTuningSettings(config.epochs * per_epoch, config.batch_size, *rates)
    model.to(pick_device(config.device))
    trained = fine_tune(model, source, settings, generator, rehearsal if variant.rehearse else ())
    losses = [loss for _, loss in tqdm(trained, desc=name, total=settings.steps, unit="step")]
    return fmean(losses[-per_epoch:]), model


def main(config: Config) -> Results:
    keep_freed_memory()
    tokenizer = load_tokenizer()
    book, plain = open_book(config.book, tokenizer), Cookbook("plain")
    old, rehearsal = (recipe_part(plain, stream, 100, tokenizer) for stream in ("validation", "train"))
    variants = {}
    for name in config.variants:
        variant = VARIANTS[name]
        training, model = train(config, variant, book, rehearsal.documents, name)
        variants[name] = losses = VariantLosses(loss_on(book.validation, model), training, loss_on(old, model))
        print(f"{name:<22}{losses.validation:8.4f} validation, {losses.training:.4f} training", end="")
        print(f", {losses.first_voice:.4f} first voice")
    return Results(variants, book.validation.optimum)


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
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"variants.*": TRAINED})
