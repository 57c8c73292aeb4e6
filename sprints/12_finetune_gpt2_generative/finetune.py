"""What does a pre-trained model learn from a book, how close does it come to the best, and what does it forget?

    uv run sprints/12_finetune_gpt2_generative/finetune.py
    uv run sprints/12_finetune_gpt2_generative/finetune.py --preset seeds
    uv run sprints/12_finetune_gpt2_generative/finetune.py --model gpt2 --book my_book.txt --batch-size 2

The best model on the validation chapter goes to checkpoints/finetuned, a folder of transformers. The test chapter is
scored once, at the end. Theory: notes/02_fine_tuning.md and notes/03_how_close_can_one_get.md
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from book_finetuning.best_reader import best_readers
from book_finetuning.book_tuning import (
    BOOK,
    Blocks,
    Book,
    Part,
    Settings,
    load_book,
    load_gpt,
    optimizers_of,
    recipes,
    renamed_blocks,
    save_gpt,
    tune,
)
from book_finetuning.renaming import Renamer
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.results import plain
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED
from shared.text.books import TextDataset
from shared.text.cookbook import Cookbook
from shared.text.ngrams import KneserNey
from shared.text.unseen_words import renew, unseen_tokens
from shared.training.checkpoints import load_checkpoint, save_checkpoint
from shared.training.losses import perplexity

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TUNED, SCRATCH = "fine-tuned", "from scratch"
PRESETS = {"seeds": {"seeds": 3}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), gpt2, or a folder
    book: Path = BOOK  # a text in chapters, see the README
    validation: int = 1  # chapters to validate on
    test: int = 1  # chapters to test on
    epochs: int = 16  # times through the training chapters, at most
    patience: int = 5  # epochs without progress on the validation chapters after which to stop
    batch_size: int = 4  # blocks of a batch
    learning_rate: float = 3e-3  # peak learning rate of AdamW: embeddings, biases and norms
    muon_learning_rate: float = 0.01  # peak learning rate of Muon: matrices of the blocks (0: all by AdamW)
    weight_decay: float = 0.1  # decay of matrices
    dropout: float = 0.0  # probability of dropping a feature
    rename: float = 0.5  # share of the recurring words of a scene that are swapped for others, see renaming.py
    renew: bool = True  # give tokens that pre-training never showed a new vector
    rehearse: bool = False  # add a recipe in the first voice to each batch
    scratch: bool = True  # train a model from scratch too, with the same budget
    old_recipes: int = 100  # recipes in the first voice by which forgetting is measured
    seeds: int = 1  # runs, each with another seed
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of matrix products


@dataclass
class History:
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
    new_wordings: int | None
    first_voice: dict[str, float | None] | None
    history: dict[str, History]
    optimum_of_validation: float | None


def build(config: Config, book: Book, seed: int, name: str) -> tuple[GPT, Callable[[], Blocks], int]:
    """Return the model to train, the source of its blocks, and how many of its tokens got a new vector."""
    generator = seed_everything(seed)
    model, tokenizer = load_gpt(config.model, config.dropout)
    context = model.config.context - 1
    blocks = TextDataset(book.train.documents, context).blocks
    if name == SCRATCH:
        # It has neither old vectors to find words alike by, nor new words.
        return GPT(model.config), lambda: blocks, 0
    unseen = unseen_tokens(model.token_embedding.weight)
    renamer = Renamer(model, tokenizer, book.train.scenes, unseen.tolist(), share=config.rename)
    if config.renew:
        renew(model.token_embedding.weight, unseen, generator)
    renamed = renamed_blocks(book.train.scenes, renamer, tokenizer, context, seed)
    return model, renamed if config.rename else lambda: blocks, len(unseen) if config.renew else 0


def train(
    config: Config, model: GPT, source: Callable[[], Blocks], book: Book, rehearsal: Blocks, seed: int, name: str
) -> History:
    """Train until the validation chapters say stop, and leave the model as it was at its best."""
    per_epoch = -(-len(source()) // config.batch_size)
    steps = config.epochs * per_epoch
    rates = (config.learning_rate, config.muon_learning_rate, config.weight_decay)
    settings = Settings(steps, config.batch_size, *rates)
    optimizers = optimizers_of(model, settings)
    generator = torch.Generator().manual_seed(seed)
    trained = tune(model, source, settings, generator, rehearsal, optimizers, config.precision)
    path = output_folder(config) / f"{name.replace(' ', '_')}.pt"
    history, total = History(), 0.0
    for step, loss in (bar := tqdm(trained, total=steps, desc=name, unit="step")):
        total += loss
        if step % per_epoch:
            continue
        history.train.append(total / per_epoch)
        history.validation.append(book.validation.loss(model))
        total, epoch = 0.0, len(history.validation)
        bar.set_postfix(validation_perplexity=f"{perplexity(history.validation[-1]):.3f}")
        if history.validation[-1] == min(history.validation):
            history.best_epoch = epoch
            state = {"step": step, "config": plain(config, "config"), "data": {}}
            save_checkpoint(path, model=model, optimizers=optimizers, **state)
        elif epoch - history.best_epoch >= config.patience:
            break
    model.load_state_dict(load_checkpoint(path)["model"])
    return history


def output_folder(config: Config) -> Path:
    """Return where checkpoints go."""
    return run_folder(config, __file__) / "checkpoints"


def run_name(config: Config) -> str:
    """Return "finetune", with preset, model and book where they are not the default."""
    other = [
        config.preset,
        *(Path(str(name)).stem for name in (config.model, config.book) if name not in (SHIPPED, BOOK)),
    ]
    return "_".join(["finetune", *filter(None, other)])


def yardsticks(book: Book, tokenizer: "PreTrainedTokenizerBase") -> tuple[dict[str, float | None], int | None]:
    """Return losses on the test chapters that take no neural network, and how many wordings in them are new."""
    documents, encode = book.test.documents, partial(tokenizer.encode, add_special_tokens=False)
    losses = {"5-gram": KneserNey(5, len(tokenizer)).fit(book.train.documents).loss(documents)}
    if book.cookbook is None:
        return losses | {"spells": None, "counts": None, "optimum": None}, None
    best = best_readers(book.cookbook, book.train.scenes, book.test.scenes, encode, len(tokenizer))
    nats = {"spells": best.spells, "counts": best.counts, "optimum": best.optimum}
    targets = sum(len(document) - 1 for document in documents)
    return losses | {name: total / targets for name, total in nats.items()}, best.new_wordings


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)  # numbers close to zero are slow on a CPU
    device = pick_device(config.device)
    original, tokenizer = load_gpt(config.model)
    original.to(device)
    book = load_book(config.book, tokenizer, config.validation, config.test)
    plain_voice = Cookbook("plain")
    # What another model knew before, we do not know.
    old = recipes(plain_voice, "test", config.old_recipes, tokenizer) if config.model == SHIPPED else None
    rehearsal = recipes(plain_voice, "train", 500, tokenizer).documents if config.rehearse else []
    by_seed: dict[str, list[float]] = {name: [] for name in (TUNED, SCRATCH)[: 1 + config.scratch]}
    histories: dict[str, History] = {}
    after, renewed = [], 0
    for seed in range(config.seed, config.seed + config.seeds):
        for name, losses in by_seed.items():
            model, source, fresh = build(config, book, seed, name)
            history = train(config, model.to(device), source, book, rehearsal if name == TUNED else [], seed, name)
            histories.setdefault(name, history)
            losses.append(book.test.loss(model))
            if name == TUNED:
                renewed = fresh
                after += [old.loss(model)] if old else []
            if name == TUNED and seed == config.seed:
                save_gpt(model.cpu(), tokenizer, output_folder(config) / "finetuned")
    best, new_wordings = yardsticks(book, tokenizer)
    means = {name: statistics.fmean(found) for name, found in by_seed.items()}
    loss: dict[str, float | None] = {"original": book.test.loss(original)} | means | best
    optimum = loss["optimum"]
    results = Results(
        tokens={name: sum(map(len, part.documents)) for name, part in book._asdict().items() if isinstance(part, Part)},
        renewed_tokens=renewed,
        loss=loss,
        perplexity={name: None if nats is None else perplexity(nats) for name, nats in loss.items()},
        above_optimum={name: nats / optimum - 1 if nats and optimum else None for name, nats in loss.items()},
        losses_by_seed=by_seed,
        spread={name: statistics.stdev(found) if len(found) > 1 else None for name, found in by_seed.items()},
        new_wordings=new_wordings,
        first_voice={
            "before": old.loss(original),
            "after": statistics.fmean(after),
            "optimum": old.optimum(plain_voice),
        }
        if old
        else None,
        history=histories,
        optimum_of_validation=book.validation.optimum(book.cookbook),
    )
    report(results)
    return results


def report(results: Results) -> None:
    print("\nnext token of the unseen chapters   nats  perplexity  above the optimum")
    for name, loss in results.loss.items():
        if loss is not None:
            above = results.above_optimum[name]
            print(f"{name:<30}{loss:10.4f}{results.perplexity[name]:12.3f}", "" if above is None else f"{above:17.1%}")
    if results.first_voice:
        before, after, optimum = results.first_voice.values()
        print(f"first voice: {before:.4f} before, {after:.4f} after, optimum {optimum:.4f}")


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
    run(main, Config, plot=plot, presets=PRESETS)
