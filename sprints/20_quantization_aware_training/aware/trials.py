"""How the GPTs of this sprint are trained and compared: in float32, rounded afterwards, and aware of the rounding.

All arms of a comparison go on from the same float model with the same texts, optimizer, number of steps and search of
the learning rate; only what they round, and what they learn from, is different.
"""

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import torch
from torch import nn
from torch.optim import AdamW

from aware.prepare import AwareConfig, parameter_groups, prepare
from aware.recipes import HeldOut, Recipes
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import Batch
from shared.training.loop import LossFunction, train_steps
from shared.training.losses import evaluate_loss, language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

Made = TypeVar("Made")
SEARCH_SEED = 1000  # added to the seed of a search: none of the reported models has it
TEXTS_OF_A_SEED = 100_000  # each seed has texts of its own
ADAMW_RATE, MUON_RATE = 6e-3, 0.04  # with which a GPT is trained from scratch: twice sprint 9's, for its size
# AdamW moves every number by about its rate. A step is smaller than its weights, and all of them move along with it.
RATE_OF_STEPS = 0.1
SCHEMES: dict[str, AwareConfig] = {
    "8": AwareConfig(8),
    "4": AwareConfig(4),
    "3": AwareConfig(3),
    "2": AwareConfig(2),
    "ternary": AwareConfig("ternary"),
    "bitnet": AwareConfig("ternary", per="tensor", learned=False),
}
NAMES = {
    **{name: f"{name} bits" for name in ("8", "4", "3", "2")},
    "ternary": "ternary",
    "bitnet": "ternary, BitNet's step",
}


def on_one_thread() -> None:
    """Set PyTorch up for many small steps on a CPU."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # numbers below the normal ones are slow on a CPU
    keep_freed_memory()


def train_float(
    texts: Recipes, layers: int, groups: int, seed: int, steps: int, batch_size: int, config: AwareConfig | None = None
) -> GPT:
    """Return a GPT trained from scratch, Muon for the matrices of its blocks and AdamW for the rest.

    Args:
        texts: to learn.
        layers: blocks.
        groups: features of a token in groups of 64, the weights that share a step; as many as four heads divide.
        seed: draws the first weights, and decides which texts are read.
        steps: of the optimizers.
        batch_size: texts in a step.
        config: rounds the weights from the first step on (default: none is rounded).
    """
    sizes = GPTConfig(texts.tokenizer.vocab_size, texts.context, layers, 4, 64 * groups, dropout=0.0)
    model = GPT(sizes, seed_everything(seed))
    optimizers = make_optimizers(model, learning_rate=ADAMW_RATE, muon_learning_rate=MUON_RATE)
    if config is not None:
        prepare(model, config)  # its steps come into no optimizer, unless they are learnt
        if steps_to_learn := parameter_groups(model)[2:]:
            optimizers.append(AdamW(steps_to_learn[0]["params"], lr=RATE_OF_STEPS * ADAMW_RATE, weight_decay=0.0))
    batches = texts.train_batches(batch_size, seed * TEXTS_OF_A_SEED)
    _finish(train_steps(
        model, batches, loss_function=language_model_loss, optimizers=optimizers, steps=steps,
        schedule=partial(warmup_linear, steps=steps, warmup=max(1, steps // 20)),
    ))  # fmt: skip
    return model


def tune(
    model: nn.Module,
    batches: Iterator[Batch],
    steps: int,
    rate: float,
    loss_function: LossFunction = language_model_loss,
) -> None:
    """Train a model on, prepared or not: AdamW with a short warm-up and a straight line down to 0.

    Args:
        model: is changed.
        batches: to learn.
        steps: of the optimizer.
        rate: at its peak; learned steps have a tenth of it.
        loss_function: what to make small.
    """
    groups = parameter_groups(model, lr=RATE_OF_STEPS * rate)
    _finish(train_steps(
        model, batches, loss_function=loss_function, optimizers=[AdamW(groups, lr=rate, betas=(0.9, 0.95), fused=True)],
        steps=steps, schedule=partial(warmup_linear, steps=steps, warmup=max(1, steps // 20)),
    ))  # fmt: skip


def prepared(model: GPT, config: AwareConfig | None) -> GPT:
    """Return a copy of a model that rounds its weights from now on; without a config a copy as it is."""
    copied = copy.deepcopy(model)
    if config is not None:
        prepare(copied, config)
    return copied


def go_on(
    start: GPT, texts: Recipes, seed: int, steps: int, rate: float, batch_size: int, config: AwareConfig | None = None,
    loss_function: LossFunction = language_model_loss,
) -> GPT:  # fmt: skip
    """Return a copy of a float model that was tuned on texts new to it; with a config it was rounded meanwhile.

    Args:
        start: where it goes on from.
        texts: to learn.
        seed: decides which texts are read: those that `train_float` leaves to it.
        steps, rate, loss_function: as for `tune`.
        batch_size: texts in a step.
        config: how to round.
    """
    model = prepared(start, config)
    tune(
        model,
        texts.train_batches(batch_size, seed * TEXTS_OF_A_SEED + TEXTS_OF_A_SEED // 2),
        steps,
        rate,
        loss_function,
    )
    return model


def excess(model: nn.Module, held_out: HeldOut) -> float:
    """Return how far a model is above the optimum, in nats per token."""
    return evaluate_loss(model, held_out.batches)[0] - held_out.optimum


def bits_of(config: AwareConfig) -> float:
    """Return the bits of a weight, the 16 of a group's step counted; those of a whole matrix's step are too few to."""
    return (math.log2(3) if config.bits == "ternary" else config.bits) + (16 / config.group) * (config.per == "group")


@dataclass(frozen=True)
class Trials(Generic[Made]):
    """What was made with each seed at the best rate, what the search made with it, and the loss of each rate."""

    rate: float
    searched: dict[str, float]
    of_search: Made
    runs: list[Made]


def search_and_repeat(
    make: Callable[[int, float], Made], loss_of: Callable[[Made], float], rates: Sequence[float], seeds: Sequence[int]
) -> Trials[Made]:
    """Make a model with each rate and the first of the seeds, and with the best rate for each of the others.

    Args:
        make: takes a seed and a rate.
        loss_of: the loss on validation texts, by which the rate is chosen.
        rates: learning rates to try.
        seeds: that of the search, which is not reported, and the others.
    """
    tried = {rate: make(seeds[0], rate) for rate in rates}
    losses = {rate: loss_of(made) for rate, made in tried.items()}
    best = min(losses, key=losses.__getitem__)
    shown = {f"{rate:g}": loss for rate, loss in losses.items()}
    return Trials(best, shown, tried[best], [make(seed, best) for seed in seeds[1:]])


def seeds_of(first: int, count: int) -> list[int]:
    """Return the seed of the search and those of the runs that are reported."""
    return [first + SEARCH_SEED, *range(first, first + count)]


def moved(model: GPT, start: GPT) -> float:
    """Return how far training moved the matrices of the blocks, as a share of their length: |W - W0| / |W0|."""
    ends = dict(model.named_parameters())
    pairs = [(ends[name], old) for name, old in start.named_parameters() if old.dim() == 2 and "blocks" in name]
    squares = [((new - old).square().sum().item(), old.square().sum().item()) for new, old in pairs]
    return (sum(change for change, _ in squares) / sum(length for _, length in squares)) ** 0.5


def _finish(training: Iterator[object]) -> None:
    for _ in training:
        pass
