"""Checks of the schedule: beside LinearLR and CosineAnnealingLR."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR

from shared.lab.checking import expect


def follow(make: Callable[[SGD], Any], count: int) -> list[float]:
    """Return the rates that a scheduler of PyTorch gives, with the peak 1."""
    optimizer = SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler, rates = make(optimizer), []
    for _ in range(count):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def library(steps: int, warmup: int, floor: float) -> Tensor:
    """Return the factors of all steps by PyTorch's schedulers, one after the other."""
    rising = follow(lambda each: LinearLR(each, 1 / warmup, total_iters=warmup - 1), warmup) if warmup > 1 else []
    falling = follow(lambda each: CosineAnnealingLR(each, steps - warmup, floor), steps - warmup)
    return torch.tensor(([1.0] if warmup == 1 else rising) + falling)


def path(function: Callable[[int, int, int, float], float], steps: int, warmup: int, floor: float) -> Tensor:
    return torch.tensor([float(function(step, steps, warmup, floor)) for step in range(steps)])


def variant(
    step: int, steps: int, warmup: int, floor: float, *, first: int = 1, whole: int = 0, turn: float = math.pi
) -> float:
    """Return the factor with one thing otherwise: where the warm-up begins, how long the cosine is, how far it goes."""
    if step < warmup:
        return (step + first) / warmup
    progress = (step - (0 if whole else warmup)) / (steps if whole else steps - warmup)
    return floor + (1 - floor) * (1 + math.cos(turn * progress)) / 2


def added_floor(step: int, steps: int, warmup: int, floor: float) -> float:
    return variant(step, steps, warmup, 0.0) + (floor if step >= warmup else 0.0)


def cut_at_floor(step: int, steps: int, warmup: int, floor: float) -> float:
    return max(floor, variant(step, steps, warmup, 0.0))


def compare(learner: Any, steps: int, warmup: int, floor: float) -> None:
    settings = (steps, warmup, floor)
    mistakes = {
        "The first step has the rate 0, so that nothing happens in it: count from 1 in the warm-up.": path(
            lambda *each: variant(*each, first=0), *settings
        ),
        "The cosine begins at step 0 and not where the warm-up ends.": path(
            lambda *each: variant(*each, whole=1), *settings
        ),
        "The cosine goes through a whole turn and comes up again: half a turn is pi.": path(
            lambda *each: variant(*each, turn=2 * math.pi), *settings
        ),
        "The cosine goes through a quarter of a turn only: half a turn is pi.": path(
            lambda *each: variant(*each, turn=math.pi / 2), *settings
        ),
        "The cosine ends at 0 and not at the floor.": path(lambda *each: variant(*each[:3], 0.0), *settings),
        "The floor is added, so that the peak is above 1: shrink the cosine by 1 - floor.": path(
            added_floor, *settings
        ),
        "The cosine is cut off at the floor; it must end there.": path(cut_at_floor, *settings),
        "There is no warm-up.": path(
            lambda step, steps, warmup, floor: variant(max(step, warmup), steps, warmup, floor), *settings
        ),
    }

    def all_factors(steps: int, warmup: int, floor: float) -> Tensor:
        return path(learner.factor, steps, warmup, floor)

    given = {"steps": steps, "warmup": warmup, "floor": floor}
    expect(all_factors, given, library(*settings), mistakes)


def check_cosine(learner: Any) -> None:
    """Eight steps without warm-up."""
    compare(learner, 8, 0, 0.0)


def check_warm_up(learner: Any) -> None:
    """Four steps up, eight down."""
    compare(learner, 12, 4, 0.0)


def check_floor(learner: Any) -> None:
    """A floor of a tenth."""
    compare(learner, 10, 2, 0.1)


def check_high_floor(learner: Any) -> None:
    """A floor of a half, without warm-up."""
    compare(learner, 6, 0, 0.5)


def check_one_step_of_warm_up(learner: Any) -> None:
    """A warm-up of one step is the peak at once."""
    compare(learner, 7, 1, 0.2)
