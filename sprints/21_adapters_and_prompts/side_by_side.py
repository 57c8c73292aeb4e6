"""Every method beside full fine-tuning: how near does it come, what is forgotten, and what does it cost?

    uv run sprints/21_adapters_and_prompts/side_by_side.py
    uv run sprints/21_adapters_and_prompts/side_by_side.py --preset full
    uv run sprints/21_adapters_and_prompts/side_by_side.py --preset book

Every method has six trials of a size and a rate, as many steps, and the same documents in the same order. Without
options four of thirteen methods run once, after a shorter search. Theory: notes/08_side_by_side.md
"""

from dataclasses import dataclass, replace
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import nn
from tqdm import tqdm

from adaptation.adapted_layer import count
from adaptation.methods import find
from adaptation.qlora import base_bytes
from adaptation.tasks import Task, Text, loss_on, open_task
from adaptation.trials import (
    FULL,
    GRIDS,
    Budget,
    Setting,
    adapt,
    best_of,
    file_bytes,
    one_step,
    ratios,
    search,
    start,
    step_times,
)  # fmt: skip
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, ExistingFile, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory
from shared.nn.pretrained import SHIPPED, context_length, load_causal_model
from shared.text.books import SHIPPED_BOOK

ALL = {"methods": tuple(GRIDS), "search_steps": 70, "seeds": 5}
PRESETS = {"full": ALL, "book": ALL | {"text": "book"}}
PROMPTED = ("prompt", "p_tuning", "prefix")


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), smollm2, a folder, or a name of the hub such as gpt2
    text: Text = "reordered"  # what to learn: known recipes in a new order, the book, or Shakespeare
    book: ExistingFile = SHIPPED_BOOK  # the book: a UTF-8 text in chapters
    # full, and methods of adaptation/methods.py
    methods: Annotated[tuple[str, ...], Different] = ("full", "lora", "ia3", "prompt")
    steps: PositiveInt = 140  # optimizer steps of a training
    search_steps: PositiveInt = 30  # of a training of the search
    batch_size: PositiveInt = 1  # documents in a step
    factor: PositiveFloat = 1.0  # of all rates that are tried; for a real model 0.1 or less
    longest: AtLeastTwo = 200  # tokens to which documents are cut; the longest prompt stands before them
    recipes: PositiveInt = 48  # reordered recipes to learn from, again and again
    held_out: PositiveInt = 16  # documents to choose by, and as many to compare by
    old: PositiveInt = 16  # recipes of the first voice, to measure forgetting
    rounds: PositiveInt = 5  # steps of each method that are timed, in turns
    seeds: PositiveInt = 1  # runs of each method

    def check(self) -> None:
        for name in self.methods:
            if name != FULL:
                find(name)


@dataclass(frozen=True)
class Arm:
    """A method with its best setting, by seed and on average, and what it costs."""

    size: int | None
    rate: float
    at_edge: bool
    searched: dict[str, float]
    losses: list[float]
    test: MeanInterval
    old: MeanInterval
    above_full: MeanInterval | None
    parameters: int
    share: float
    base_mb: float
    training_mb: float
    file_kb: float
    seconds_of_full: float | None


@dataclass(frozen=True)
class Results:
    optimum: float | None
    before: float
    old_before: float
    numbers: int
    methods: dict[str, Arm]


def measure(config: Config, base: nn.Module, name: str, task: Task, numbers: int) -> tuple[Arm, Setting]:
    """Search a method's size and rate, run it with every seed, and return what came of it."""
    budget = Budget(config.search_steps, config.batch_size, config.factor)
    searched = search(base, name, task, budget)
    size, rate = setting = best_of(searched)
    budget = Budget(config.steps, config.batch_size)
    losses, old, adapted = [], [], base
    for seed in range(config.seed, config.seed + config.seeds):
        adapted = adapt(base, name, setting, task, budget, seed)
        losses.append(loss_on(task.test, adapted))
        old.append(loss_on(task.old, adapted))
    trained, sizes = count(adapted), GRIDS[name].sizes
    method = None if name == FULL else find(name).config(base, size)
    arm = Arm(
        size=size if len(sizes) > 1 else None,
        rate=rate,
        at_edge=GRIDS[name].at_edge(setting, config.factor),
        searched={f"size {size}, rate {rate:g}": loss for (size, rate), loss in searched.items()},
        losses=losses,
        test=mean_interval(losses),
        old=mean_interval(old),
        above_full=None,
        parameters=trained,
        share=trained / numbers,
        base_mb=base_bytes(adapted) / 1e6 if name != FULL else 4 * numbers / 1e6,
        training_mb=12 * trained / 1e6,  # a gradient and Adam's two moments for each, four bytes each
        file_kb=file_bytes(adapted, method, config.model) / 1e3,
        seconds_of_full=None,
    )
    print(f"{name}: size {size}, rate {rate:g}, {trained:,} numbers, test {show_interval(*arm.test, '.4f')}")
    return arm, setting


def beside_full(arms: dict[str, Arm], seconds: dict[str, float]) -> dict[str, Arm]:
    """Return the arms with their losses as shares of full fine-tuning's, seed by seed, and the time of a step."""
    if FULL not in arms:
        return arms
    found = {}
    for name, arm in arms.items():
        above = [loss / full - 1 for loss, full in zip(arm.losses, arms[FULL].losses, strict=True)]
        found[name] = replace(arm, above_full=mean_interval(above), seconds_of_full=seconds[name])
    return found


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    base, tokenizer = load_causal_model(config.model)
    for module in base.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    most = max([size for name in config.methods if name in PROMPTED for size in GRIDS[name].sizes], default=0)
    longest = min(config.longest, context_length(base) - most)
    task = open_task(config.text, tokenizer, longest, config.recipes, config.held_out, config.old, config.book)
    numbers = sum(parameter.numel() for parameter in base.parameters())
    for name in config.methods:  # what a model cannot have is said before hours of work
        start(base, name, GRIDS[name].sizes[0])
    before, old_before = loss_on(task.test, base), loss_on(task.old, base)
    print(f"before: test {before:.3f}, old text {old_before:.3f}; optimum {task.optimum}")
    arms, settings = {}, {}
    for name in tqdm(config.methods, desc="methods"):
        arms[name], settings[name] = measure(config, base, name, task, numbers)
    batch = next(task.batches(0, 1, config.batch_size))
    times = step_times({name: one_step(base, name, size, batch) for name, (size, _) in settings.items()}, config.rounds)
    seconds = ratios(times, FULL) if FULL in arms else {}
    return Results(task.optimum, before, old_before, numbers, beside_full(arms, seconds))


def plot(results: Results) -> Figure:
    """Draw the loss on the new text and on the old one by what is trained: a point and its interval for each method."""
    figure, panels = new_figure(9.0, 5.4, columns=2)
    arms = sorted(results.methods.items(), key=lambda item: -item[1].test[0])
    names = [f"{name}, {arm.share:.2%}" for name, arm in arms]
    for axes, part, title in zip(panels, ("test", "old"), ("new text", "old text"), strict=True):
        values = [getattr(arm, part) for _, arm in arms]
        for row, ((name, _), (mean, half)) in enumerate(zip(arms, values, strict=True)):
            colour = "black" if name == FULL else "C0"
            axes.errorbar(mean, row, xerr=error_bars([half]), fmt="o", capsize=3, color=colour)
            axes.text(mean, row + 0.22, f"{mean:.3f}", ha="center", fontsize=8)
        axes.set(xlabel=f"nats per token, {title}", ylim=(-0.6, len(arms) - 0.2), xlim=(0, None))
    panels[0].set_yticks(range(len(names)), names)
    panels[1].set_yticks(range(len(names)), [""] * len(names))
    panels[1].axvline(results.old_before, color="C2", linestyle="--")
    panels[1].text(results.old_before, -0.45, " before", color="C2", ha="left", fontsize=8)
    if results.optimum is not None:
        panels[0].axvline(results.optimum, color="C2", linestyle="--")
        panels[0].text(results.optimum, -0.45, " optimum", color="C2", ha="left", fontsize=8)
    return figure


CHOSEN = ("size", "rate", "at_edge", "parameters", "share", "base_mb", "training_mb", "file_kb")  # two can be as good
TOLERANCE = {"methods.*": TRAINED} | {f"methods.*.{name}": TIMING for name in CHOSEN}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
