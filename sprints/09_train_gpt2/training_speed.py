"""How fast is a step of training, beside transformers and a plain PyTorch loop, on this machine?

    uv run sprints/09_train_gpt2/training_speed.py
    uv run sprints/09_train_gpt2/training_speed.py --rounds 5 --steps 12

Compare the ratios, not the figures of different machines. Theory: notes/13_speed.md
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from matplotlib.figure import Figure

from pretraining_study.contenders import (
    BATCH_SIZE,
    BLOCK,
    SIZE,
    Rates,
    median_ratio,
    our_losses,
    plain_torch_losses,
    print_rates,
    rates_in_turns,
    transformers_losses,
)
from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory
from shared.text.batches import Batch


@dataclass(frozen=True)
class Config(ScriptConfig):
    rounds: PositiveInt = 3  # turns of each contender
    steps: PositiveInt = 6  # training steps of a turn that are timed


@dataclass(frozen=True)
class Results:
    training: Rates
    training_ratio: float
    float32_ratio: float
    fused_kernel_ratio: float
    freed_memory_ratio: float


def random_batches() -> Iterator[Batch]:
    """Yield full batches of random tokens: speed does not depend on what they say."""
    generator = torch.Generator().manual_seed(0)
    while True:
        yield Batch(torch.randint(SIZE.vocab_size, (BATCH_SIZE, BLOCK + 1), generator=generator), None)


def training_rate(losses_of: Callable[..., Iterator[float]], steps: int, *arguments: object) -> float:
    """Return training tokens per second."""
    losses = losses_of(SIZE, random_batches(), *arguments)
    list(islice(losses, 2))  # warm-up
    began = time.perf_counter()
    list(islice(losses, steps))
    return steps * BATCH_SIZE * BLOCK / (time.perf_counter() - began)


def our_training_rate(
    steps: int, muon: float | None, precision: str = "auto", keep_memory: bool = True, fused_kernel: bool = False
) -> float:
    """Return the rate of our training, with or without what makes it fast."""
    if keep_memory:
        keep_freed_memory()
    return training_rate(our_losses, steps, muon, precision, fused_kernel)


def main(config: Config) -> Results:
    contenders = {
        "transformers, float32": (training_rate, transformers_losses, config.steps),
        "plain PyTorch, float32": (training_rate, plain_torch_losses, config.steps),
        "ours, float32, AdamW": (our_training_rate, config.steps, None, "float32"),
        "ours, AdamW": (our_training_rate, config.steps, None),
        "ours, Muon": (our_training_rate, config.steps, 0.02),
        "ours, AdamW, freed memory returned": (our_training_rate, config.steps, None, "auto", False),
        "ours, AdamW, fused kernel": (our_training_rate, config.steps, None, "auto", True, True),
    }
    rates = rates_in_turns(contenders, config.rounds)
    print_rates("training", rates)
    return Results(
        training=rates,
        training_ratio=median_ratio(rates, "ours, AdamW", "transformers, float32"),
        float32_ratio=median_ratio(rates, "ours, float32, AdamW", "transformers, float32"),
        fused_kernel_ratio=median_ratio(rates, "ours, AdamW", "ours, AdamW, fused kernel"),
        freed_memory_ratio=median_ratio(rates, "ours, AdamW", "ours, AdamW, freed memory returned"),
    )


def plot(results: Results) -> Figure:
    """Draw the training rates of all turns; like is compared with like within a colour."""
    figure, axes = new_figure(8.0, 4.0)
    names = [name if "float32" in name else name.replace("ours", "ours, bfloat16") for name in results.training]
    colours = ["grey" if "float32" in name else "C0" for name in results.training]
    axes.barh(names, [statistics.median(turns) for turns in results.training.values()], color=colours)
    for height, turns in enumerate(results.training.values()):
        axes.plot(turns, [height] * len(turns), ".", color="black")
    axes.invert_yaxis()
    axes.set_xlabel("training tokens per second (dots: single turns)")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TIMING})
