"""One base model, two adapters: can they be switched while it runs, and what does an adapter that is not merged cost?

    uv run sprints/13_peft_lora/adapters.py

One adapter learns the book's voice, the other one to write the method before the ingredients.
Theory: notes/07_adapters.md
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from matplotlib.figure import Figure
from torch import Tensor

from adapter_study.adaptation_loop import AdaptationSettings, tune
from adapter_study.base_model import load_base, loss_on
from adapter_study.model_defaults import block_length, find_names, rate_of
from adapter_study.tuning_texts import reordered_texts
from shared.checks.intervals import median_interval
from shared.lab.compare import TIMING, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile, PositiveFloat, PositiveInt
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.adapter_files import load_adapter, save_adapter
from shared.nn.adapters import activate, inject, merge, unmerge
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import SHIPPED, context_length
from shared.text.books import SHIPPED_BOOK, Book, open_book

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

FIRST_VOICE = 64  # recipes of the first voice, to measure forgetting
TOLERANCE = {
    "losses.book.*": TRAINED,
    "losses.reordered.*": TRAINED,
    "same_from_files": Tolerance(absolute=1e-4),
    "latency.*": TIMING,
    "samples.*": Tolerance(compared=False),  # what is sampled turns with the last digit of a logit
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), smollm2, a folder, or a name of the hub such as gpt2
    book: ExistingFile = SHIPPED_BOOK  # the book of the one adapter: a UTF-8 text in chapters
    recipes: PositiveInt = 126  # reordered recipes that the other adapter learns from
    rank: PositiveInt = 2  # rank of both adapters
    epochs: PositiveInt = 8  # passes of each adapter over its text
    learning_rate: PositiveFloat | None = None  # peak learning rate (None: by the size of the model)
    rounds: PositiveInt = 40  # rounds of the timing; in each, every way has its turn


@dataclass(frozen=True)
class LatencyRatio:
    """A median ratio of times to the base model's, and its bootstrap interval of 95 %."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Results:
    losses: dict[str, dict[str, float]]
    optimum: dict[str, float | None]
    same_after_switching: bool
    same_from_files: float
    adapter_mb: float
    base_mb: float
    latency: dict[str, dict[str, LatencyRatio]]
    samples: dict[str, str]


@torch.no_grad()
def logits(model: "PreTrainedModel", tokens: Tensor) -> Tensor:
    return model(input_ids=tokens).logits


def latency(
    model: "PreTrainedModel", name: str, tokens: Tensor, rounds: int, generator: torch.Generator
) -> dict[str, LatencyRatio]:
    """Return the time of a forward pass with an adapter beside the weights and merged, as ratios to the base model."""
    seconds: dict[str, list[float]] = {"base": [], "beside": [], "merged": []}
    for turn in range(rounds + 3):
        for way, times in seconds.items():
            activate(model, None if way == "base" else name)
            if way == "merged":
                merge(model)
            logits(model, tokens)  # each way finds its own weights in the cache
            began = time.perf_counter()
            logits(model, tokens)
            if turn >= 3:  # the first turns warm up
                times.append(time.perf_counter() - began)
            if way == "merged":
                unmerge(model)
    ratios = {
        way: [time / base for time, base in zip(seconds[way], seconds["base"], strict=True)]
        for way in ("beside", "merged")
    }
    return {way: LatencyRatio(*median_interval(values, generator)) for way, values in ratios.items()}


@torch.no_grad()
def write(model: "PreTrainedModel", tokenizer, seed: int) -> str:
    """Return a text that the model writes at temperature 1."""
    torch.manual_seed(seed)
    start = torch.tensor([[tokenizer.eos_token_id]], device=model.device)
    longest = min(220, context_length(model) - 1)
    rows = model.generate(  # ty: ignore[not-callable]
        start, attention_mask=torch.ones_like(start), do_sample=True, top_k=0, max_new_tokens=longest
    )
    return tokenizer.decode(rows[0], skip_special_tokens=True)


def train(config: Config, model: "PreTrainedModel", books: dict[str, Book]) -> None:
    """Add an adapter for each book and train it, one after the other."""
    for name, book in books.items():
        generator = seed_everything(config.seed)
        rate = rate_of(model, "lora", config.learning_rate)
        inject(model, LoRAConfig(find_names(model, None), config.rank, 2 * config.rank), name, generator)
        tune(model, book, AdaptationSettings(config.epochs, rate), generator)


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    generator = seed_everything(config.seed)
    device = pick_device(config.device)
    model, tokenizer = load_base(config.model, 0.0, device)
    reordered, first_voice = reordered_texts(tokenizer, config.recipes, FIRST_VOICE)
    books = {"book": open_book(config.book, tokenizer, context=block_length(model)), "reordered": reordered}
    texts = {name: book.test for name, book in books.items()} | {"first voice": first_voice}
    tokens = torch.tensor([texts["book"].documents[0][:64]], device=device)
    before = logits(model, tokens)
    train(config, model, books)

    losses, samples, adapted = {}, {}, {}
    for name in (None, *books):
        activate(model, name)
        losses[name or "base"] = {text: loss_on(part, model) for text, part in texts.items()}
        samples[name or "base"] = write(model, tokenizer, config.seed)
        adapted[name] = logits(model, tokens)
        print(
            f"{name or 'base':9s} " + "  ".join(f"{text} {loss:.3f}" for text, loss in losses[name or "base"].items())
        )
    folder = run_folder(config, __file__) / "checkpoints" / "adapters"
    again, _ = load_base(config.model, 0.0, device)
    differences = []
    for name in books:
        save_adapter(model, folder / name, config.model, name, tokenizer)
        load_adapter(again, folder / name, config.model, name, tokenizer)
        differences.append((logits(again, tokens) - adapted[name]).abs().max().item())
    activate(model, None)
    return Results(
        losses=losses,
        optimum={text: part.optimum for text, part in texts.items()},
        same_after_switching=torch.equal(logits(model, tokens), before),
        same_from_files=max(differences),
        adapter_mb=sum(file.stat().st_size for file in (folder / "book").iterdir()) / 1e6,
        base_mb=4 * model.num_parameters() / 1e6,
        latency={
            "1 token": latency(model, "book", tokens[:, :1], config.rounds, generator),
            "8 x 64 tokens": latency(model, "book", tokens.expand(8, -1), config.rounds, generator),
        },
        samples=samples,
    )


def plot(results: Results) -> Figure:
    """Draw the loss on each text with each adapter."""
    figure, axes = new_figure(7, 3.6)
    width = 0.8 / len(results.losses)
    for number, (name, losses) in enumerate(results.losses.items()):
        left = [index + width * (number - (len(results.losses) - 1) / 2) for index in range(len(losses))]
        axes.bar(left, list(losses.values()), width, label="base model" if name == "base" else f"adapter: {name}")
    for index, optimum in enumerate(results.optimum.values()):
        if optimum is not None:
            axes.plot(
                [index - 0.42, index + 0.42], [optimum, optimum], color="black", label="optimum" if index == 0 else None
            )
    axes.set_xticks(range(len(results.optimum)), list(results.optimum))
    axes.set(ylabel="nats per token, test")
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
