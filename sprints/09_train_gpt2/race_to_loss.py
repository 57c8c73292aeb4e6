"""How long until a loss that a 5-gram reaches? A race against transformers and a plain PyTorch loop.

    uv run sprints/09_train_gpt2/race_to_loss.py
    uv run sprints/09_train_gpt2/race_to_loss.py --target 1.5

The settings are not equal: the plain loops have AdamW at 0.001 in float32, ours has AdamW at 0.003 with Muon at 0.02,
and bfloat16 where the processor has it. Theory: notes/13_speed.md
"""

import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from tqdm import tqdm

from pretraining_study.contenders import (
    BATCH_SIZE,
    BLOCK,
    SIZE,
    alone,
    our_losses,
    plain_torch_losses,
    transformers_losses,
)
from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory
from shared.text.batches import Batch
from shared.text.corpora import CookbookCorpus, cookbook_tokenizer

# The size of train.py's default
SMALL = replace(SIZE, context=BLOCK, d_model=128)
Reachable = Annotated[float, Field(ge=0.6)]  # the least possible is 0.37, and no schedule helps these loops to it
RACERS = {"transformers": transformers_losses, "plain PyTorch": plain_torch_losses, "ours": our_losses}

SETTINGS = {
    "transformers": "float32, AdamW 0.001",
    "plain PyTorch": "float32, AdamW 0.001",
    "ours": "bfloat16 where there is, AdamW 0.003, Muon 0.02",
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    target: Reachable = 0.8  # loss on the cookbook that the race goes to, in nats per token (about a 5-gram's)


@dataclass(frozen=True)
class Results:
    target: float
    seconds_to_loss: dict[str, float]
    loss_ratio: float


def recipe_batches() -> Iterator[Batch]:
    """Return the training stream of train.py."""
    return CookbookCorpus(cookbook_tokenizer()).train_batches(BATCH_SIZE, BLOCK, torch.Generator())


def seconds_to(losses_of: Callable[..., Iterator[float]], target: float) -> float:
    """Return the seconds until the mean of ten training losses on the cookbook is below a target."""
    if losses_of is our_losses:
        keep_freed_memory()
    batches, last = recipe_batches(), deque(maxlen=10)
    losses = losses_of(SMALL, batches)
    began = time.perf_counter()
    for loss in losses:
        last.append(loss)
        if len(last) == last.maxlen and statistics.mean(last) < target:
            break
    return time.perf_counter() - began


def main(config: Config) -> Results:
    racers = tqdm(RACERS.items(), unit="racer")
    seconds = {name: alone(seconds_to, losses_of, config.target) for name, losses_of in racers}
    print(f"seconds to a loss of {config.target} on the cookbook")
    for name, taken in seconds.items():
        print(f"  {name:<36}{taken:>9,.0f}")
    return Results(target=config.target, seconds_to_loss=seconds, loss_ratio=seconds["transformers"] / seconds["ours"])


def plot(results: Results) -> Figure:
    """Draw the seconds to the loss, with the settings of each."""
    figure, axes = new_figure(8.0, 2.8)
    names = [f"{name}\n{SETTINGS[name]}" for name in results.seconds_to_loss]
    seconds = list(results.seconds_to_loss.values())
    axes.barh(names, seconds, color=["grey", "grey", "C0"])
    for height, taken in enumerate(seconds):
        axes.text(taken, height, f" {taken:.0f} s", va="center")
    axes.invert_yaxis()
    axes.set(xlabel=f"seconds to a training loss of {results.target:g} nats per token", xlim=(0, 1.12 * max(seconds)))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TIMING})
