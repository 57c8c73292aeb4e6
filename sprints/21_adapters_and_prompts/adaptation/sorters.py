"""Sorters that are asked for another order: tuned by prefixes, by LoRA, or as a whole, with the same search for each.

Theory: notes/06_what_a_prefix_cannot_do.md
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from tqdm import tqdm

from adaptation import prompts
from adaptation.adapted_layer import count
from adaptation.sorting import (
    DOWN,
    UP,
    Order,
    answers_right,
    attention_over_content,
    learn_to_sort,
    make_sorter,
    scored,
    sorting_rows,
)  # fmt: skip
from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.runtime import seed_everything
from shared.nn.adapters import inject
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import Logits
from shared.training.losses import evaluate_loss

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

SEARCH_SEED = 1000  # added to the seed of a search: none of the reported runs has it
Way = Literal["prefix", "lora", "full"]


@dataclass(frozen=True)
class Arm:
    """A way to tune: a prefix of so many places, LoRA of a rank in the attention, or everything; and rates to try."""

    way: Way
    size: int
    rates: tuple[float, ...]

    @property
    def name(self) -> str:
        """Return what a table calls it."""
        return {"prefix": f"prefix of {self.size}", "lora": f"LoRA of rank {self.size}", "full": "all weights"}[
            self.way
        ]


@dataclass(frozen=True)
class Task:
    """What is learnt first, what is asked then, and for how long each is trained.

    Args:
        length: digits of a row.
        d_model: features of a token.
        heads: of the one layer.
        first: orders that the base model learns.
        sign: at the beginning of a row that is asked for downwards.
        base_steps: of the base model.
        base_rate: its learning rate.
        steps: of every way to tune it.
        batch_size: rows in a step of both.
        rows: that each model is validated and tested on.
    """

    length: int
    d_model: int
    heads: int
    first: Order
    sign: int
    base_steps: int
    base_rate: float
    steps: int
    batch_size: int
    rows: int


@dataclass(frozen=True)
class TunedSorter:
    """Shares of rows and of digits that are right, downwards; how far the attention over the tokens moved."""

    parameters: int
    rate: float
    searched: dict[str, float]
    exact: list[float]
    exact_interval: MeanInterval
    digits: list[float]
    digits_interval: MeanInterval
    moved: list[float]


def train_base(task: Task, seed: int) -> "PreTrainedModel":
    """Return a model of one layer that has learnt to sort."""
    generator = seed_everything(seed)
    model = make_sorter(task.length, task.d_model, task.heads, generator)
    learnt = learn_to_sort(
        model, task.length, task.first, None, steps=task.base_steps, batch_size=task.batch_size,
        learning_rate=task.base_rate, generator=generator,
    )  # fmt: skip
    for _ in tqdm(learnt, total=task.base_steps, desc=f"base, seed {seed}", leave=False):
        pass
    return model.eval()


def tune(arm: Arm, task: Task, rate: float, base: "PreTrainedModel", seed: int) -> tuple["PreTrainedModel", int]:
    """Return a copy of a base model that was tuned to sort downwards, and how many numbers were trained."""
    generator, model = seed_everything(seed), copy.deepcopy(base)
    if arm.way == "prefix":
        config = prompts.PromptConfig("prefix", arm.size, deviation=1.0, keep_positions=True)
        prompts.inject(model, config, generator)
    elif arm.way == "lora":
        inject(model, LoRAConfig(("c_attn",), arm.size, 2 * arm.size), generator=generator)
    learnt = learn_to_sort(
        model, task.length, "down", task.sign, steps=task.steps, batch_size=task.batch_size, learning_rate=rate,
        generator=generator,
    )  # fmt: skip
    for _ in tqdm(learnt, total=task.steps, desc=f"{arm.name}, rate {rate:g}, seed {seed}", leave=False):
        pass
    return model.eval(), count(model)


def asked_rows(task: Task, seed: int, order: Order = "down", sign: int | None = None) -> torch.Tensor:
    """Return rows to validate or to test on, behind the sign of the task unless there is another."""
    generator = torch.Generator().manual_seed(seed)
    return sorting_rows(task.rows, task.length, order, task.sign if sign is None else sign, generator)


def compare(
    arms: Sequence[Arm], task: Task, seeds: int, first_seed: int
) -> tuple[dict[str, TunedSorter], dict[str, list[float]]]:
    """Return what each way to tune reaches, and what the base models do: upwards, downwards, and untuned.

    Every way tries its rates on a base model of its own seed, and the best one runs on the base model of each seed.
    """
    bases = {
        seed: train_base(task, seed) for seed in [first_seed + SEARCH_SEED, *range(first_seed, first_seed + seeds)]
    }
    reported = list(bases)[1:]
    test = asked_rows(task, SEARCH_SEED - 1)
    found = {arm.name: _measure(arm, task, bases, reported, test) for arm in arms}
    asked: dict[str, tuple[Order, int]] = {
        "upwards, behind >": ("up", UP),
        "downwards, behind <": ("down", DOWN),
        "downwards, as asked": ("down", task.sign),
    }
    untuned = {
        name: [answers_right(bases[seed], asked_rows(task, SEARCH_SEED - 1, order, sign))[0] for seed in reported]
        for name, (order, sign) in asked.items()
    }
    return found, untuned


def _measure(
    arm: Arm, task: Task, bases: dict[int, "PreTrainedModel"], reported: list[int], test: torch.Tensor
) -> TunedSorter:
    search_seed, validation = next(iter(bases)), [scored(asked_rows(task, SEARCH_SEED - 2))]
    searched = {
        rate: evaluate_loss(Logits(tune(arm, task, rate, bases[search_seed], search_seed)[0]), validation)[0]
        for rate in arm.rates
    }
    best = min(searched, key=searched.__getitem__)
    exact, digits, moved, parameters = [], [], [], 0
    for seed in reported:
        before = attention_over_content(copy.deepcopy(bases[seed]), test[:100], 0)
        model, parameters = tune(arm, task, best, bases[seed], seed)
        right = answers_right(model, test)
        exact.append(right[0])
        digits.append(right[1])
        after = attention_over_content(model, test[:100], arm.size if arm.way == "prefix" else 0)
        moved.append((after - before).abs().sum(dim=-1).mean().item() / 2)
    interval = mean_interval(exact)
    print(f"{arm.name} ({parameters:,}): rows right {show_interval(*interval, '.1%')}, attention moved {moved[0]:.1e}")
    shown = {f"{rate:g}": loss for rate, loss in searched.items()}
    return TunedSorter(parameters, best, shown, exact, interval, digits, mean_interval(digits), moved)
