"""What does rounding the base to four bits cost, and how much of it does LoRA on top give back?

    uv run sprints/21_adapters_and_prompts/four_bit_base.py
    uv run sprints/21_adapters_and_prompts/four_bit_base.py --preset full
    uv run sprints/21_adapters_and_prompts/four_bit_base.py --texts known --bases float nf4

A base as it is, in NF4, and in even steps of 4, 3 and 2 bits. LoRA learns a text that the base knows, and one that it
does not. Without options it is three of the bases and a short training each; `--preset full` has five and intervals.
Theory: notes/04_a_base_in_four_bits.md
"""

import copy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import torch
from matplotlib.figure import Figure
from torch import nn
from tqdm import tqdm

from adaptation.adapted_layer import linear_targets
from adaptation.four_bits import LEVELS, bits_per_number, to_four_bits
from adaptation.methods import METHODS
from adaptation.places import places_of
from adaptation.tasks import Documents, Task, changed_recipes, loss_on, reorder
from adaptation.trials import SEARCH_SEED, Budget, adapt
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory
from shared.nn.pretrained import SHIPPED, load_causal_model

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

Base = Literal["float", "nf4", "int4", "int3", "int2"]
Known = Literal["known", "reordered"]
NAMES: dict[str, str] = {
    "float": "32 bits", "nf4": "NF4", "int4": "even steps,\n4 bits", "int3": "even steps,\n3 bits",
    "int2": "even steps,\n2 bits",
}  # fmt: skip
# With fewer bits there are fewer levels; they are packed like four bits here, and counted as what they need.
KINDS = {**LEVELS, "int3": torch.arange(-4, 4) / 3.5, "int2": torch.arange(-2, 2) / 1.5}
BITS = {"nf4": 4, "int4": 4, "int3": 3, "int2": 2}
PRESETS = {
    "full": {
        "bases": ("float", "nf4", "int4", "int3", "int2"), "rates": (1e-3, 5e-3, 2e-2), "steps": 140,
        "search_steps": 70, "held_out": 32, "seeds": 5,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # the base
    bases: Annotated[tuple[Base, ...], Different] = ("float", "nf4", "int2")  # how it is kept
    texts: Annotated[tuple[Known, ...], Different] = ("known", "reordered")  # what LoRA learns
    rank: PositiveInt = 3  # of LoRA
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (1e-3, 2e-2)  # learning rates of the search
    steps: PositiveInt = 60  # optimizer steps of a training
    search_steps: PositiveInt = 20  # of a training of the search
    held_out: PositiveInt = 16  # recipes to choose by, and as many to measure by
    seeds: PositiveInt = 1  # runs of each


@dataclass(frozen=True)
class Run:
    """A base on a text: its loss before LoRA and after it."""

    before: float
    rate: float
    losses: list[float]
    after: MeanInterval


@dataclass(frozen=True)
class Results:
    optimum: dict[str, float]
    base_mb: dict[str, float]
    texts: dict[str, dict[str, Run]]


def rounded(model: nn.Module, kind: Base) -> nn.Module:
    """Return a copy of a model whose linear layers have the numbers that few bits stand for.

    To compute with these floating-point numbers is faster than to make them anew for each product, and the same.
    """
    model = copy.deepcopy(model)
    if kind != "float":
        for layer in linear_targets(model, places_of(model).linear).values():
            weight = layer.get_parameter("weight")
            weight.data.copy_(to_four_bits(weight, levels=KINDS[kind]).numbers())
    return model


def megabytes(model: nn.Module, kind: Base) -> float:
    """Return what a base takes: so many bits a weight of its linear layers, constants included, and 32 of the rest."""
    layers = linear_targets(model, places_of(model).linear).values()
    linear = sum(layer.get_parameter("weight").numel() for layer in layers)
    rest = sum(parameter.numel() for parameter in model.parameters()) - linear
    bits = 32 if kind == "float" else BITS[kind] + bits_per_number() - 4
    return (bits * linear + 32 * rest) / 8e6


def task_of(text: Known, tokenizer: "PreTrainedTokenizerBase", held_out: int) -> Task:
    """Return recipes as they are, or with the method before the ingredients."""
    change = reorder if text == "reordered" else str
    read = partial(changed_recipes, change, tokenizer)

    def documents(start: int, count: int) -> Documents:
        return read("train", start, count)[0]

    test, optimum = read("test", 0, held_out)
    return Task(documents, read("validation", 0, held_out)[0], test, [], optimum)


def measure(config: Config, base: nn.Module, task: Task) -> Run:
    """Search the rate, and tune with every seed."""
    searched = {}
    for rate in config.rates:
        adapted = adapt(base, "lora", (config.rank, rate), task, Budget(config.search_steps, 1), SEARCH_SEED)
        searched[rate] = loss_on(task.validation, adapted)
    best, losses = min(searched, key=searched.__getitem__), []
    for seed in range(config.seed, config.seed + config.seeds):
        losses.append(loss_on(task.test, adapt(base, "lora", (config.rank, best), task, Budget(config.steps, 1), seed)))
    return Run(loss_on(task.test, base), best, losses, mean_interval(losses))


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    model, tokenizer = load_causal_model(config.model)
    METHODS["lora"].config(model, config.rank)  # a family without names of places ends here
    tasks = {text: task_of(text, tokenizer, config.held_out) for text in config.texts}
    found: dict[str, dict[str, Run]] = {text: {} for text in config.texts}
    for kind in tqdm(config.bases, desc="bases"):
        base = rounded(model, kind)
        for text, task in tasks.items():
            run = found[text][kind] = measure(config, base, task)
            print(
                f"{text}, {kind}: {run.before:.4f} before, {show_interval(*run.after, '.4f')} after (rate {run.rate:g})"
            )
    optimum: dict[str, float] = {text: task.optimum or 0.0 for text, task in tasks.items()}
    return Results(optimum, {kind: megabytes(model, kind) for kind in config.bases}, found)


def plot(results: Results) -> Figure:
    """Draw the loss of each base before LoRA and after it, a panel a text."""
    figure, panels = new_figure(8.6, 3.8, columns=max(2, len(results.texts)))
    for axes, (text, bases) in zip(panels, results.texts.items(), strict=False):
        for place, found in enumerate(bases.values()):
            axes.plot(place - 0.12, found.before, "s", color="C1")
            axes.errorbar(
                place + 0.12, found.after[0], yerr=error_bars([found.after[1]]), fmt="o", capsize=4, color="C0"
            )
            axes.annotate(
                f"{found.after[0]:.3f}", (place + 0.12, found.after[0]), (0, 9), textcoords="offset points", fontsize=8,
                color="C0", ha="center",
            )  # fmt: skip
        axes.axhline(results.optimum[text], color="C2", linestyle="--")
        names = [NAMES[kind] for kind in bases]
        axes.set_xticks(range(len(names)), names, fontsize=8)
        axes.set(title=f"{text} recipes", ylabel="nats per token", xlim=(-0.5, len(names) - 0.3))
        if text == "reordered":
            axes.set(yscale="log")
    figure.supxlabel("squares: before LoRA; circles: after it, mean and 95 % interval; dashed: optimum", fontsize=9)
    return figure


TOLERANCE = {"texts.*": TRAINED, "texts.*.rate": TIMING}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
