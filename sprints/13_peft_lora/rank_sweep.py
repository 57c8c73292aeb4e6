"""Which rank, and which modules? A sweep in which each choice has its own learning rate, with the spread over seeds.

    uv run sprints/13_peft_lora/rank_sweep.py
    uv run sprints/13_peft_lora/rank_sweep.py --preset thorough

The learning rate of each choice is the one that validates best with the first seed; the test chapter is then scored
once for each seed. Theory: notes/02_what_is_trained.md
"""

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from matplotlib.figure import Figure

from adapter_study.adaptation_loop import AdaptationSettings, tune
from adapter_study.base_model import load_base, loss_on
from adapter_study.tuning_methods import ALL_LINEAR, ENDS, count, prepare
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import ExistingFile, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import SHIPPED
from shared.text.books import SHIPPED_BOOK, Book, open_book

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

Targets = Literal["attention", "linear", "attention, ends", "linear, ends"]
TARGETS: dict[str, tuple[str, ...]] = {
    "attention": ("c_attn",),
    "linear": ALL_LINEAR,
    "attention, ends": ("c_attn", *ENDS),
    "linear, ends": (*ALL_LINEAR, *ENDS),
}
TOLERANCE = {f"cells.*.{name}": TRAINED for name in ("validation_by_rate.*", "test.*", "mean", "spread")}
PRESETS = {"thorough": {"targets": tuple(TARGETS), "ranks": (1, 2, 4, 8, 16, 32), "epochs": 12, "seeds": 3}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), a folder, or a name of the hub such as gpt2
    book: ExistingFile = SHIPPED_BOOK  # the book: a UTF-8 text in chapters
    targets: tuple[Targets, ...] = ("attention", "linear, ends")  # modules that are adapted
    ranks: tuple[PositiveInt, ...] = (1, 8)  # ranks
    rates: tuple[PositiveFloat, ...] = (1e-2, 3e-2)  # learning rates to choose from for LoRA
    full_rates: tuple[PositiveFloat, ...] = (1e-3, 3e-3)  # learning rates to choose from for full fine-tuning
    epochs: PositiveInt = 3  # passes over the training chapters
    seeds: PositiveInt = 2  # runs of each choice, from --seed on
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of matrix products


@dataclass(frozen=True)
class SweepCell:
    """A choice of modules and rank (0: full fine-tuning), and what came of it."""

    targets: str
    rank: int
    parameters: int
    share: float
    rate: float
    validation_by_rate: dict[str, float]
    test: list[float]
    mean: float
    spread: float


@dataclass(frozen=True)
class Results:
    optimum: float | None
    cells: list[SweepCell]


def tune_one(
    targets: str, rank: int, rate: float, seed: int, config: Config, book: Book
) -> tuple["PreTrainedModel", float]:
    """Tune a fresh model and return it with its loss on the validation chapter."""
    generator = seed_everything(seed)
    base, _ = load_base(config.model, 0.0, pick_device(config.device))
    lora = LoRAConfig(TARGETS.get(targets, ALL_LINEAR), max(rank, 1), alpha=2 * max(rank, 1))
    model = prepare("lora" if rank else "full", base, lora, generator)
    settings = AdaptationSettings(config.epochs, rate, precision=config.precision)
    return model, min(tune(model, book, settings, generator).validation_losses)


def fill(targets: str, rank: int, config: Config, book: Book) -> SweepCell:
    """Choose the learning rate with the first seed and return the test losses of all seeds."""
    tried = {}
    for rate in config.rates if rank else config.full_rates:
        model, loss = tune_one(targets, rank, rate, config.seed, config, book)
        tried[rate] = loss, model
    best = min(tried, key=lambda rate: tried[rate][0])
    models = [tried[best][1]]
    for seed in range(config.seed + 1, config.seed + config.seeds):
        models.append(tune_one(targets, rank, best, seed, config, book)[0])
    test, parameters = [loss_on(book.test, model) for model in models], count(models[0])
    everything = sum(parameter.numel() for parameter in models[0].parameters()) - (parameters if rank else 0)
    cell = SweepCell(
        targets=targets,
        rank=rank,
        parameters=parameters,
        share=parameters / everything,
        rate=best,
        validation_by_rate={f"{rate:g}": loss for rate, (loss, _) in tried.items()},
        test=test,
        mean=statistics.mean(test),
        spread=statistics.stdev(test) if len(test) > 1 else 0.0,
    )
    print(f"{targets:16s} rank {rank:2d}  {cell.share:6.1%}  rate {best:g}  test {cell.mean:.4f} +- {cell.spread:.4f}")
    return cell


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    _, tokenizer = load_base(config.model, 0.0, pick_device(config.device))
    book = open_book(config.book, tokenizer)
    cells = [fill("full", 0, config, book)]
    cells += [fill(targets, rank, config, book) for targets in config.targets for rank in config.ranks]
    return Results(book.test.optimum, cells)


def plot(results: Results) -> Figure:
    """Draw the test loss over the number of trained parameters, a line for each choice of modules."""
    figure, axes = new_figure(7, 4.2)
    names = list(dict.fromkeys(cell.targets for cell in results.cells))
    for name, colour in zip(names, COLOURS, strict=False):
        cells = [cell for cell in results.cells if cell.targets == name]
        shares, means, spreads = zip(*((100 * cell.share, cell.mean, cell.spread) for cell in cells), strict=True)
        axes.errorbar(shares, means, spreads, marker="o", capsize=3, color=colour, label=name)
        for cell in cells:
            if cell.rank:
                axes.annotate(
                    str(cell.rank), (100 * cell.share, cell.mean), (3, 5), textcoords="offset points", fontsize=8
                )
    if results.optimum is not None:
        axes.axhline(results.optimum, color="black", label="optimum")
    axes.set(xscale="log", xlabel="trained parameters, % (numbers: rank)", ylabel="nats per token, test chapter")
    axes.set_ylim(0, None)
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
