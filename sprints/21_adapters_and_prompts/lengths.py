"""How long must a prompt be, and where should it start? The shipped GPT learns known words in a new order.

    uv run sprints/21_adapters_and_prompts/lengths.py
    uv run sprints/21_adapters_and_prompts/lengths.py --preset full
    uv run sprints/21_adapters_and_prompts/lengths.py --preset prefixes

The text is the beginning of recipes whose method stands before the ingredients. Every kind and length tries the same
number of learning rates, and then runs with each seed. Without options prompts of 1 and of 16 places run once;
`--preset full` has P-tuning as well, more rates, and intervals. Theory: notes/07_lengths_and_starts.md
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from adaptation.adapted_layer import count
from adaptation.prompts import PromptConfig, inject
from adaptation.sorters import SEARCH_SEED
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.nn.pretrained import Logits, load_causal_model
from shared.text.cookbook import Cookbook
from shared.text.tokenizers import encode_documents
from shared.training.loop import train_steps
from shared.training.losses import Batch, evaluate_loss, language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Kind = Literal["prompt", "prompt_words", "p_tuning", "prefix", "prefix_words", "prefix_network", "prefix_keeps"]
NAMES: dict[Kind, str] = {
    "prompt": "prompt, random",
    "prompt_words": "prompt, from words",
    "p_tuning": "P-tuning",
    "prefix": "prefix, random",
    "prefix_words": "prefix, from words",
    "prefix_network": "prefix, by a network",
    "prefix_keeps": "prefix, text keeps its positions",
}
FULL = {
    "kinds": ("prompt", "prompt_words", "p_tuning"), "lengths": (1, 4, 16), "rates": (0.03, 0.1, 0.3, 1.0),
    "steps": 100, "seeds": 5,
}  # fmt: skip
PRESETS = {
    "full": FULL,
    "prefixes": FULL | {"kinds": ("prefix", "prefix_words", "prefix_network", "prefix_keeps")},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    kinds: Annotated[tuple[Kind, ...], Different] = ("prompt", "prompt_words")  # what is compared
    lengths: Annotated[tuple[PositiveInt, ...], Different] = (1, 16)  # places
    hidden: PositiveInt = 96  # features of the networks that make a prompt or a prefix
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.3, 1.0)  # learning rates that each tries
    steps: PositiveInt = 80  # optimizer steps
    batch_size: PositiveInt = 4  # beginnings of recipes in a step
    block: PositiveInt = 64  # tokens of a beginning
    held_out: PositiveInt = 32  # beginnings to choose the rate by, and as many to test on
    seeds: PositiveInt = 1  # runs of each kind and length


@dataclass(frozen=True)
class Measured:
    """Trained numbers, the search, and the loss on the test recipes in nats per token: at the start and at the end."""

    parameters: int
    rate: float
    searched: dict[str, float]
    start: float
    losses: list[float]
    interval: MeanInterval


@dataclass(frozen=True)
class Results:
    without: float
    measured: dict[str, dict[str, Measured]]


def reordered(tokenizer: "PreTrainedTokenizerBase", stream: str, start: int, rows: int, block: int) -> Batch:
    """Return beginnings of recipes whose method stands before the ingredients, (rows, block)."""
    cookbook, texts = Cookbook(), []
    for index in range(start, start + rows):
        title, listed, method, *rest = cookbook.recipe(stream, index).text.split("\n\n")
        texts.append("\n\n".join((title, method, listed, *rest)))
    return torch.tensor([document[:block] for document in encode_documents(texts, tokenizer)]), None


def prompt_config(kind: Kind, length: int, hidden: int, words: tuple[int, ...]) -> PromptConfig:
    """Return what stands before the texts; words are where it starts, if it starts from words."""
    if kind == "p_tuning":
        return PromptConfig("p_tuning", length, hidden)
    if kind.startswith("prompt"):
        return PromptConfig("prompt", length, words=words if kind == "prompt_words" else ())
    return PromptConfig(
        "prefix", length, hidden if kind == "prefix_network" else None, words if kind == "prefix_words" else (),
        keep_positions=kind == "prefix_keeps",
    )  # fmt: skip


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    keep_freed_memory()
    base, tokenizer = load_causal_model()
    texts = partial(reordered, tokenizer, block=config.block)
    validation, test = texts("validation", 0, config.held_out), texts("test", 0, config.held_out)
    words = tuple(texts("train", 10**6, 1)[0][0].tolist())  # of a recipe that is not trained on

    def tune(kind: Kind, length: int, rate: float, seed: int) -> tuple["PreTrainedModel", float, int]:
        generator, model = seed_everything(seed), copy.deepcopy(base)
        inject(model, prompt_config(kind, length, config.hidden, words), generator)
        start = evaluate_loss(Logits(model), [test])[0]
        first = seed * config.steps * config.batch_size  # recipes of its own, the same for every kind
        batches: Iterator[Batch] = (
            texts("train", first + step * config.batch_size, config.batch_size) for step in range(config.steps)
        )
        training = train_steps(
            Logits(model), batches, loss_function=language_model_loss,
            optimizers=make_optimizers(model, learning_rate=rate), steps=config.steps,
            schedule=partial(warmup_linear, steps=config.steps, warmup=max(1, config.steps // 10)),
        )  # fmt: skip
        for _ in tqdm(training, total=config.steps, desc=f"{NAMES[kind]}, {length}, rate {rate:g}", leave=False):
            pass
        return model, start, count(model)

    def measure(kind: Kind, length: int) -> Measured:
        searched = {
            rate: evaluate_loss(Logits(tune(kind, length, rate, config.seed + SEARCH_SEED)[0]), [validation])[0]
            for rate in config.rates
        }
        best = min(searched, key=searched.__getitem__)
        runs = [tune(kind, length, best, config.seed + index) for index in range(config.seeds)]
        losses = [evaluate_loss(Logits(model), [test])[0] for model, _, _ in runs]
        interval, (_, start, parameters) = mean_interval(losses), runs[0]
        print(f"{NAMES[kind]}, {length} places ({parameters:,} numbers): {show_interval(*interval, '.3f')}")
        shown = {f"{rate:g}": loss for rate, loss in searched.items()}
        return Measured(parameters, best, shown, start, losses, interval)

    without = evaluate_loss(Logits(base), [test])[0]
    print(f"without a prompt: {without:.3f} nats per token")
    measured = {NAMES[kind]: {str(n): measure(kind, n) for n in config.lengths} for kind in config.kinds}
    return Results(without, measured)


def plot(results: Results) -> Figure:
    """Draw the loss by the length for each kind, with intervals; names stand apart where lines end close together."""
    figure, axes = new_figure(7.4, 4.0)
    ends: list[tuple[float, str, str]] = []
    for colour, (name, by_length) in enumerate(results.measured.items()):
        places = [index + 0.06 * colour for index in range(len(by_length))]
        means = [found.interval[0] for found in by_length.values()]
        halves = error_bars([found.interval[1] for found in by_length.values()])
        axes.errorbar(places, means, yerr=halves, fmt="o-", capsize=3, color=f"C{colour}")
        ends.append((means[-1], name, f"C{colour}"))
    axes.axhline(results.without, color="grey", linestyle="--")
    axes.annotate("without", (0, results.without), xytext=(0, 4), textcoords="offset points", color="grey")
    low, high = axes.get_ylim()
    lengths, height = list(next(iter(results.measured.values()))), low
    for mean, name, colour in sorted(ends):
        height = max(mean, height)
        axes.text(len(lengths) - 0.7, height, name, color=colour, va="center")
        height += 0.06 * (high - low)
    axes.set_xticks(range(len(lengths)), lengths)
    axes.set(xlabel="places of the prompt or prefix", ylabel="nats per token", xlim=(-0.2, len(lengths) + 0.4))
    return figure


TOLERANCE = {"measured.*": TRAINED, "measured.*.rate": TIMING, "measured.*.searched*": TIMING}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
