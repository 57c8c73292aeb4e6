"""Two adapters, each of which learnt a change of its own: does their sum do both?

    uv run sprints/21_adapters_and_prompts/adding.py --seeds 2 --steps 60
    uv run sprints/21_adapters_and_prompts/adding.py --rank 8

One adapter learns recipes with the method before the ingredients, another one recipes that begin with their tip. The
text to be read has both. Beside them an adapter that learnt both at once. Theory: notes/09_adding_and_switching.md
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import torch
from matplotlib.figure import Figure
from torch import nn
from tqdm import tqdm

from adaptation.adding import add_changes, add_factors
from adaptation.places import places_of
from adaptation.tasks import Documents, changed_recipes, loss_on, reorder, tip_first
from adaptation.trials import SEARCH_SEED
from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.compare import TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory
from shared.nn.adapters import activate, inject
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import SHIPPED, Logits, load_causal_model
from shared.text.batches import pad_rows
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase


def both(recipe: str) -> str:
    """Return a recipe with its tip first, and the method before the ingredients."""
    return tip_first(reorder(recipe))


CHANGES: dict[str, Callable[[str], str]] = {"old": str, "method_first": reorder, "tip_first": tip_first, "both": both}
LEARNT = ("method_first", "tip_first", "both")
WAYS = ("base", *LEARNT, "sum", "mean", "mean_of_factors")


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # the base
    rank: PositiveInt = 3  # of LoRA
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (5e-3, 1e-2, 2e-2)  # of the search, for each change
    steps: PositiveInt = 140  # optimizer steps, of a recipe each
    held_out: PositiveInt = 16  # recipes to choose the rate by, and as many to measure by
    seeds: PositiveInt = 5  # adapters of each kind


@dataclass(frozen=True)
class Results:
    optimum: dict[str, float]
    rates: dict[str, float]
    losses: dict[str, dict[str, MeanInterval]]
    sum_less_both: MeanInterval


def read(tokenizer: "PreTrainedTokenizerBase", change: str, stream: str, start: int, count: int) -> Documents:
    """Return recipes after a change."""
    return changed_recipes(CHANGES[change], tokenizer, stream, start, count)[0]


def learn(config: Config, model: nn.Module, change: str, rate: float, seed: int, texts: Callable) -> None:
    """Add an adapter of the name of the change to a model, and train it."""
    lora = LoRAConfig(places_of(model).linear, config.rank, 2 * config.rank)
    inject(model, lora, change, torch.Generator().manual_seed(seed))
    documents = texts(change, "train", seed * config.steps, config.steps)
    training = train_steps(
        Logits(model),
        (pad_rows([document]) for document in documents),
        loss_function=language_model_loss,
        optimizers=make_optimizers(model, learning_rate=rate),
        steps=config.steps,
        schedule=partial(warmup_linear, steps=config.steps, warmup=max(1, config.steps // 20)),
    )
    for _ in training:
        pass
    model.eval()


def search(config: Config, base: nn.Module, change: str, texts: Callable) -> float:
    """Return the rate with the least validation loss."""
    losses = {}
    for rate in config.rates:
        model = copy.deepcopy(base)
        learn(config, model, change, rate, config.seed + SEARCH_SEED, texts)
        losses[rate] = loss_on(texts(change, "validation", 0, config.held_out), model)
    return min(losses, key=losses.__getitem__)


def use(model: nn.Module, way: str) -> None:
    """Activate an adapter; one that is made of two others is made first."""
    pair = ("method_first", "tip_first")
    if way in ("sum", "mean"):
        add_changes(model, pair, (1.0, 1.0) if way == "sum" else (0.5, 0.5), way)
    elif way == "mean_of_factors":
        add_factors(model, pair, (0.5, 0.5), way)
    else:
        activate(model, None if way == "base" else way)


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    base, tokenizer = load_causal_model(config.model)
    texts = partial(read, tokenizer)
    rates = {change: search(config, base, change, texts) for change in LEARNT}
    tests = {change: changed_recipes(CHANGES[change], tokenizer, "test", 0, config.held_out) for change in CHANGES}
    losses: dict[str, dict[str, list[float]]] = {way: {change: [] for change in CHANGES} for way in WAYS}
    for seed in tqdm(range(config.seed, config.seed + config.seeds), desc="seeds"):
        model = copy.deepcopy(base)
        for change in LEARNT:
            learn(config, model, change, rates[change], seed, texts)
        for way in WAYS:
            use(model, way)
            for change, (documents, _) in tests.items():
                losses[way][change].append(loss_on(documents, model))
    found = {way: {change: mean_interval(values) for change, values in row.items()} for way, row in losses.items()}
    for way, row in found.items():
        print(f"{way}: " + ", ".join(f"{change} {show_interval(*value, '.3f')}" for change, value in row.items()))
    differences = [one - other for one, other in zip(losses["sum"]["both"], losses["both"]["both"], strict=True)]
    optimum = {change: least for change, (_, least) in tests.items()}
    return Results(optimum, rates, found, mean_interval(differences))


def plot(results: Results) -> Figure:
    """Draw the loss on the text with both changes, a row for each way to read it."""
    figure, axes = new_figure(7.4, 3.8)
    names = [way.replace("_", " ") for way in results.losses]
    for row, values in enumerate(results.losses.values()):
        mean, half = values["both"]
        axes.errorbar(mean, row, xerr=half or 0.0, fmt="o", capsize=4, color="C0" if row < 4 else "C1")
        axes.text(mean * 1.06, row - 0.22, f"{mean:.2f}", fontsize=8)
    axes.axvline(results.optimum["both"], color="C2", linestyle="--")
    axes.text(results.optimum["both"] * 1.02, -0.55, "optimum", color="C2", fontsize=8)
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log")
    axes.set_xticks([0.5, 1, 2, 4, 8], ["0.5", "1", "2", "4", "8"])
    axes.minorticks_off()
    axes.set(xlabel="nats per token, tip first and method first (logarithmic)", ylim=(len(names) - 0.5, -0.8))
    return figure


TOLERANCE = {"losses.*": TRAINED, "rates.*": TIMING, "sum_less_both*": TRAINED}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
