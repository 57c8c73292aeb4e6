"""Which rank, and which modules? A sweep in which each choice has its own learning rate, with the spread over seeds.

    uv run sprints/13_peft_lora/rank_sweep.py
    uv run sprints/13_peft_lora/rank_sweep.py --preset full
    uv run sprints/13_peft_lora/rank_sweep.py --preset thorough
    uv run sprints/13_peft_lora/rank_sweep.py --preset smollm2

The learning rate of each choice is the one that validates best with the first seed; a best rate at an edge of the grid
widens the grid. The test text is then scored once for each seed. Without a preset each choice has one epoch and one
seed, so there is no spread; --preset full, whose table the note shows, has three epochs and two seeds.
Theory: notes/04_beside_full_fine_tuning.md
"""

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from matplotlib.figure import Figure

from adapter_study.adaptation_loop import AdaptationSettings, tune
from adapter_study.base_model import load_base, loss_on
from adapter_study.model_defaults import block_length, find_names, rates_around
from adapter_study.rate_search import search_rate
from adapter_study.tuning_methods import count, prepare
from adapter_study.tuning_texts import open_texts
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import ExistingFile, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import SHIPPED
from shared.text.books import SHIPPED_BOOK, Book

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

Targets = Literal["attention", "linear", "attention, ends", "linear, ends"]
TARGETS: dict[str, tuple[str, ...]] = {
    "attention": ("attention",),
    "linear": ("linear",),
    "attention, ends": ("attention", "ends"),
    "linear, ends": ("linear", "ends"),
}
TOLERANCE = {f"cells.*.{name}": TRAINED for name in ("validation_by_rate.*", "test.*", "mean", "spread")}
PRESETS = {
    "full": {"epochs": 3, "seeds": 2},
    "thorough": {"targets": tuple(TARGETS), "ranks": (1, 2, 4, 8, 16, 32), "epochs": 12, "seeds": 3},
    "smollm2": {
        "model": "smollm2", "text": "tinyshakespeare", "targets": ("linear",), "ranks": (2, 8, 32), "epochs": 1,
        "seeds": 3,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), smollm2, a folder, or a name of the hub such as gpt2
    text: Literal["book", "tinyshakespeare"] = "book"  # what to learn
    book: ExistingFile = SHIPPED_BOOK  # the book: a UTF-8 text in chapters
    targets: tuple[Targets, ...] = ("attention", "linear, ends")  # modules that are adapted
    ranks: tuple[PositiveInt, ...] = (1, 8)  # ranks
    # learning rates to begin with, for LoRA and for full fine-tuning (None: three around the one that suits the size)
    rates: tuple[PositiveFloat, ...] | None = None
    full_rates: tuple[PositiveFloat, ...] | None = None  # the same for full fine-tuning
    epochs: PositiveInt = 1  # passes over the training chapters
    seeds: PositiveInt = 1  # runs of each choice, from --seed on
    blocks: PositiveInt = 160  # blocks of Shakespeare to learn from
    held_out: PositiveInt = 24  # blocks of Shakespeare to choose by, and as many to be tested on
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of matrix products


@dataclass(frozen=True)
class SweepCell:
    """A choice of modules and rank (0: full fine-tuning), and what came of it.

    `inside`: whether rates on both sides of the chosen one validate worse.
    """

    targets: str
    rank: int
    parameters: int
    share: float
    rate: float
    inside: bool
    validation_by_rate: dict[str, float | None]  # None: training diverged
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
    lora = LoRAConfig(find_names(base, TARGETS.get(targets)), max(rank, 1), alpha=2 * max(rank, 1))
    model = prepare("lora" if rank else "full", base, lora, generator)
    settings = AdaptationSettings(config.epochs, rate, precision=config.precision)
    return model, min(tune(model, book, settings, generator).validation_losses)


def finite(losses: dict[float, float]) -> dict[str, float | None]:
    """Return losses by rate as a results file holds them."""
    return {f"{rate:g}": loss if math.isfinite(loss) else None for rate, loss in losses.items()}


def fill(targets: str, rank: int, rates: tuple[float, ...], config: Config, book: Book) -> SweepCell:
    """Choose the learning rate with the first seed and return the test losses of all seeds."""

    def attempt(rate: float) -> tuple[float, "PreTrainedModel"]:
        model, loss = tune_one(targets, rank, rate, config.seed, config, book)
        return loss, model

    found = search_rate(attempt, rates)
    model, test = found.outcome, [loss_on(book.test, found.outcome)]
    for seed in range(config.seed + 1, config.seed + config.seeds):
        test.append(loss_on(book.test, tune_one(targets, rank, found.rate, seed, config, book)[0]))
    parameters = count(model)
    everything = sum(parameter.numel() for parameter in model.parameters()) - (parameters if rank else 0)
    cell = SweepCell(
        targets=targets,
        rank=rank,
        parameters=parameters,
        share=parameters / everything,
        rate=found.rate,
        inside=found.inside,
        validation_by_rate=finite(found.losses),
        test=test,
        mean=statistics.mean(test),
        spread=statistics.stdev(test) if len(test) > 1 else 0.0,
    )
    print(
        f"{targets:16s} rank {rank:2d}  {cell.share:6.1%}  rate {found.rate:g}  "
        f"test {cell.mean:.4f} +- {cell.spread:.4f}"
    )
    return cell


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    base, tokenizer = load_base(config.model, 0.0, pick_device(config.device))
    block = block_length(base)
    book = open_texts(config.text, tokenizer, config.book, block, config.blocks, config.held_out, first_voice=1).book
    rates, full_rates = rates_around(base, "lora", config.rates), rates_around(base, "full", config.full_rates)
    cells = [fill("full", 0, full_rates, config, book)]
    cells += [fill(targets, rank, rates, config, book) for targets in config.targets for rank in config.ranks]
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
