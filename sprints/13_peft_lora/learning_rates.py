"""Which learning rate does each way of fine-tuning want? A search that does not end at an edge of its grid.

    uv run sprints/13_peft_lora/learning_rates.py
    uv run sprints/13_peft_lora/learning_rates.py --preset reordered

A comparison at one rate says which method the rate suits. So each method has its own search here, with equally many
rates to begin with, on the validation text. Theory: notes/04_beside_full_fine_tuning.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from adapter_study.adaptation_loop import AdaptationSettings, tune
from adapter_study.base_model import load_base, renew_unseen
from adapter_study.model_defaults import Trained, block_length, find_names, rates_around
from adapter_study.rate_search import search_rate
from adapter_study.tuning_methods import prepare
from adapter_study.tuning_texts import Text, open_texts
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import ExistingFile, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import SHIPPED
from shared.text.books import SHIPPED_BOOK, Book

TOLERANCE = {"methods.*.losses.*": TRAINED}
PRESETS = {
    "reordered": {"text": "reordered"},
    "smollm2": {
        "model": "smollm2", "text": "tinyshakespeare", "methods": ("full", "lora"), "rank": 8, "epochs": 1,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), smollm2, a folder, or a name of the hub such as gpt2
    text: Text = "book"  # what to learn
    book: ExistingFile = SHIPPED_BOOK  # the book: a UTF-8 text in chapters
    methods: tuple[Trained, ...] = ("full", "lora", "head")  # which to search for
    rank: PositiveInt = 2  # rank of LoRA; alpha is twice as large
    epochs: PositiveInt = 4  # passes over the training text
    full_rates: tuple[PositiveFloat, ...] | None = None  # to begin with (None: three around what suits the size)
    lora_rates: tuple[PositiveFloat, ...] | None = None  # the same for LoRA
    head_rates: tuple[PositiveFloat, ...] | None = None  # the same for the head
    widenings: PositiveInt = 2  # rates that are added at most when the best one is at an edge
    blocks: PositiveInt = 120  # blocks of Shakespeare to learn from
    held_out: PositiveInt = 24  # blocks of Shakespeare to choose by


@dataclass(frozen=True)
class RateCurve:
    """The validation loss of each rate (None: training diverged), the best, and whether it has worse neighbours."""

    rate: float
    inside: bool
    losses: dict[str, float | None]


@dataclass(frozen=True)
class Results:
    before: float
    optimum: float | None
    methods: dict[str, RateCurve]


def validation_loss(method: str, rate: float, config: Config, book: Book) -> tuple[float, None]:
    """Return the best validation loss of a method with a rate."""
    generator = seed_everything(config.seed)
    base, _ = load_base(config.model, 0.0, pick_device(config.device))
    if config.text == "book":
        renew_unseen(base, generator)
    names = find_names(base, ("linear",) if config.text == "reordered" else None)
    model = prepare(method, base, LoRAConfig(names, config.rank, 2 * config.rank), generator)
    losses = tune(model, book, AdaptationSettings(config.epochs, rate), generator).validation_losses
    print(f"{method:5s} rate {rate:8g}  validation {min(losses):.4f}")
    return min(losses), None


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    base, tokenizer = load_base(config.model, 0.0, pick_device(config.device))
    block = block_length(base)
    texts = open_texts(config.text, tokenizer, config.book, block, config.blocks, config.held_out, first_voice=1)
    before = texts.score(base, block).validation
    given = {"full": config.full_rates, "lora": config.lora_rates, "head": config.head_rates}
    methods = {}
    for method in config.methods:
        rates = rates_around(base, method, given[method])
        found = search_rate(
            lambda rate, method=method: validation_loss(method, rate, config, texts.book), rates, config.widenings
        )
        losses = {f"{rate:g}": loss if math.isfinite(loss) else None for rate, loss in found.losses.items()}
        methods[method] = RateCurve(found.rate, found.inside, losses)
    return Results(before, texts.book.validation.optimum, methods)


def plot(results: Results) -> Figure:
    """Draw the validation loss of each method over the learning rate."""
    figure, axes = new_figure(7, 3.8)
    for (name, curve), colour in zip(results.methods.items(), COLOURS, strict=False):
        points = [(float(rate), loss) for rate, loss in curve.losses.items() if loss is not None]
        axes.plot(*zip(*points, strict=True), marker="o", color=colour, label=name)
        axes.plot(curve.rate, curve.losses[f"{curve.rate:g}"], "o", markersize=11, markerfacecolor="none", color=colour)
    if results.optimum is not None:
        axes.axhline(results.optimum, color="black", linewidth=1, label="optimum")
    axes.set(xscale="log", xlabel="peak learning rate", ylabel="nats per token, validation")
    axes.set_ylim(0, None)
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
