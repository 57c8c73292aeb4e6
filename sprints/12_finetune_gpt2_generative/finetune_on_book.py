"""What does a pre-trained model learn from a book, how close does it come to the best, and what does it forget?

    uv run sprints/12_finetune_gpt2_generative/finetune_on_book.py
    uv run sprints/12_finetune_gpt2_generative/finetune_on_book.py --preset seeds

The best model on the validation chapter goes to checkpoints/finetuned in the run's folder; the test chapter is scored
once, at the end. For a real model and your own text: finetune.py. Theory: notes/02_fine_tuning.md
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from book_finetuning.pretrained_gpt import load_gpt, prepare_for_book, save_gpt
from book_finetuning.training_on_blocks import Blocks, FineTuningSettings, fine_tune, loss_on
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile, Fraction, NonNegativeFloat, PositiveFloat, PositiveInt, Share
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED
from shared.text.batches import TextDataset
from shared.text.books import SHIPPED_BOOK, Book, open_book, recipe_part
from shared.text.cookbook import Cookbook
from shared.training.checkpoints import check_room
from shared.training.keep_best import KeepBest
from shared.training.losses import perplexity

TUNED, SCRATCH = "fine-tuned", "from scratch"
PRESETS = {"seeds": {"seeds": 3}}
# When the model from scratch stops early, and with it how long its history is, turns with the last digit of a loss.
TOLERANCE = {
    "*fine-tuned*": TRAINED, "*from scratch*": TRAINED, "first_voice.after": TRAINED,
    "history.fine-tuned.best_epoch": Tolerance(absolute=4.0), "history.from scratch.*": Tolerance(compared=False),
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), or a folder of a GPT-2 of its size
    book: ExistingFile = SHIPPED_BOOK  # a text in chapters, see the README
    validation: PositiveInt = 1  # chapters to validate on
    test: PositiveInt = 1  # chapters to test on
    epochs: PositiveInt = 16  # times through the training chapters, at most
    patience: PositiveInt = 5  # epochs without progress on the validation chapters after which to stop
    batch_size: PositiveInt = 4  # blocks of a batch
    learning_rate: PositiveFloat = 3e-3  # peak learning rate of AdamW: embeddings, biases and norms
    muon_learning_rate: NonNegativeFloat = 0.01  # peak learning rate of Muon: matrices of the blocks (0: all by AdamW)
    weight_decay: NonNegativeFloat = 0.1  # decay of matrices
    dropout: Share = 0.0  # probability of dropping a feature
    rename: Fraction = 0.5  # share of the recurring words of a scene that are swapped for others, see renaming.py
    renew: bool = True  # give tokens that pre-training never showed a new vector
    rehearse: bool = False  # add a recipe in the first voice to each batch
    scratch: bool = True  # train a model from scratch too, with the same budget
    old_recipes: PositiveInt = 100  # recipes in the first voice by which forgetting is measured
    seeds: PositiveInt = 1  # runs, each with another seed
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of matrix products

    def check(self) -> None:
        size = 0 if self.model == SHIPPED else sum(w.numel() for w in load_gpt(self.model)[0].parameters())
        if size > 20_000_000 and self.learning_rate > 3e-4:
            raise ValueError(f"{self.learning_rate:g} would wreck a real model: finetune.py has rates by size")


@dataclass
class LossHistory:
    """Loss on the training blocks and the validation chapters after each epoch, and the best epoch (from 1)."""

    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    best_epoch: int = 0


@dataclass(frozen=True)
class Results:
    tokens: dict[str, int]
    renewed_tokens: int
    loss: dict[str, float | None]
    perplexity: dict[str, float | None]
    above_optimum: dict[str, float | None]
    losses_by_seed: dict[str, list[float]]
    spread: dict[str, float | None]
    first_voice: dict[str, float | None] | None
    history: dict[str, LossHistory]
    optimum_of_validation: float | None


def build(config: Config, book: Book, seed: int, name: str) -> tuple[GPT, Callable[[], Blocks], int]:
    """Return the model to train, the source of its blocks, and how many of its tokens got a new vector."""
    generator = seed_everything(seed)
    if name == SCRATCH:
        model, _ = load_gpt(config.model, config.dropout)
        blocks = TextDataset(book.train.documents, model.config.context - 1).blocks
        return GPT(model.config), lambda: blocks, 0
    options = {"dropout": config.dropout, "rename": config.rename, "new_vectors": config.renew}
    return prepare_for_book(config.model, book.train.scenes, generator, seed=seed, **options)


def train(
    config: Config, model: GPT, source: Callable[[], Blocks], book: Book, rehearsal: Blocks, seed: int, name: str
) -> LossHistory:
    """Train until the validation chapters say stop, and leave the model as it was at its best."""
    per_epoch = -(-len(source()) // config.batch_size)
    rates = (config.learning_rate, config.muon_learning_rate, config.weight_decay)
    settings = FineTuningSettings(config.epochs * per_epoch, config.batch_size, *rates)
    generator = torch.Generator().manual_seed(seed)
    steps = fine_tune(model, source, settings, generator, rehearsal, config.precision)
    history, best, total = LossHistory(), KeepBest(model, config.patience), 0.0
    for step, loss in (bar := tqdm(steps, total=settings.steps, desc=name, unit="step")):
        total += loss
        if step % per_epoch:
            continue
        history.train.append(total / per_epoch)
        history.validation.append(loss_on(book.validation, model))
        total = 0.0
        bar.set_postfix(validation_perplexity=f"{perplexity(history.validation[-1]):.3f}")
        best.update(history.validation[-1], step)
        if best.stop:
            break
    best.restore()
    history.best_epoch = best.best_step // per_epoch
    return history


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)  # numbers close to zero are slow on a CPU
    device = pick_device(config.device)
    original, tokenizer = load_gpt(config.model)
    original.to(device)
    book = open_book(config.book, tokenizer, config.validation, config.test, original.config.context)
    if book.cookbook is None and config.rename:
        print("words that recur in a scene are swapped for words of like use; --rename 0 leaves the text as it is")
    folder = run_folder(config, __file__) / "checkpoints" / "finetuned"
    check_room(folder, original, copies=2)
    # What another model knew before, we do not know.
    old = recipe_part(Cookbook(), "test", config.old_recipes, tokenizer) if config.model == SHIPPED else None
    rehearsal = recipe_part(Cookbook(), "train", 500, tokenizer).documents if config.rehearse else []
    by_seed: dict[str, list[float]] = {name: [] for name in (TUNED, SCRATCH)[: 1 + config.scratch]}
    histories: dict[str, LossHistory] = {}
    forgotten, renewed = [], 0
    for seed in range(config.seed, config.seed + config.seeds):
        for name, losses in by_seed.items():
            model, source, fresh = build(config, book, seed, name)
            history = train(config, model.to(device), source, book, rehearsal if name == TUNED else [], seed, name)
            histories.setdefault(name, history)
            if name == TUNED and seed == config.seed:
                save_gpt(model.cpu(), tokenizer, folder, config.book)
                model.to(device)
            losses.append(loss_on(book.test, model))
            if name == TUNED:
                renewed = fresh
                forgotten += [loss_on(old, model)] if old else []
    means = {name: statistics.fmean(losses) for name, losses in by_seed.items()}
    optimum = book.test.optimum
    loss: dict[str, float | None] = {"original": loss_on(book.test, original)} | means | {"optimum": optimum}
    results = Results(
        tokens={name: sum(map(len, book._asdict()[name].documents)) for name in ("train", "validation", "test")},
        renewed_tokens=renewed,
        loss=loss,
        perplexity={name: None if nats is None else perplexity(nats) for name, nats in loss.items()},
        above_optimum={name: nats / optimum - 1 if nats and optimum else None for name, nats in loss.items()},
        losses_by_seed=by_seed,
        spread={name: statistics.stdev(losses) if len(losses) > 1 else None for name, losses in by_seed.items()},
        first_voice={"before": loss_on(old, original), "after": statistics.fmean(forgotten), "optimum": old.optimum}
        if old
        else None,
        history=histories,
        optimum_of_validation=book.validation.optimum,
    )
    for name, nats in loss.items():
        above = results.above_optimum[name]
        print(name, *([] if nats is None else [f"{nats:.4f} nats"]), *([] if above is None else [f"{above:+.1%}"]))
    return results


def plot(results: Results) -> Figure:
    """Draw the loss on the validation chapters over the epochs, beside the optimum."""
    figure, axes = new_figure()
    for name, history in results.history.items():
        epochs = range(1, len(history.validation) + 1)
        (line,) = axes.plot(epochs, history.validation, label=f"{name}, validation")
        axes.plot(epochs, history.train, linestyle=":", color=line.get_color(), label=f"{name}, training")
    if results.optimum_of_validation is not None:
        axes.axhline(results.optimum_of_validation, color="black", label="optimum")
    axes.set(xlabel="epoch", ylabel="nats per token", ylim=(0, min(4, axes.get_ylim()[1])))
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
