"""Checks of `factor`, at all steps of a run."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect
from shared.training.schedules import warmup_cosine, warmup_linear

Schedule = Callable[[int, int, int, float], float]


def all_steps(schedule: Schedule, steps: int, warmup: int, floor: float) -> Tensor:
    """Return the factors of all steps."""
    return torch.tensor([float(schedule(step, steps, warmup, floor)) for step in range(steps)])


def cosine(progress: float, floor: float) -> float:
    return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2


def after(rise: Schedule, fall: Schedule) -> Schedule:
    """Return a schedule that rises by one rule and falls by another."""
    return lambda step, steps, warmup, floor: (rise if step < warmup else fall)(step, steps, warmup, floor)


def right_rise(step: int, steps: int, warmup: int, floor: float) -> float:  # noqa: ARG001
    return (step + 1) / warmup


def right_fall(step: int, steps: int, warmup: int, floor: float) -> float:
    return cosine((step - warmup) / (steps - warmup), floor)


MISTAKES: dict[str, Schedule] = {
    "Step 0 has the factor 0, so that nothing is learnt in it: it must be 1 / warmup.": after(
        lambda step, _, warmup, __: step / warmup, right_fall
    ),
    "The cosine begins at step 0: it must begin when the warm-up is over.": after(
        right_rise, lambda step, steps, _, floor: cosine(step / steps, floor)
    ),
    "The warm-up is not taken off the length of the cosine: it must have fallen to the floor at `steps`.": after(
        right_rise, lambda step, steps, warmup, floor: cosine((step - warmup) / steps, floor)
    ),
    "The floor is a lower limit here; it must be where the cosine ends, so that the whole curve is scaled.": after(
        right_rise, lambda step, steps, warmup, floor: max(floor, cosine((step - warmup) / (steps - warmup), 0))
    ),
    "The floor is added on top: the factor may not be above 1.": after(
        right_rise, lambda step, steps, warmup, floor: floor + cosine((step - warmup) / (steps - warmup), 0)
    ),
    "There is no floor.": after(
        right_rise, lambda step, steps, warmup, _: cosine((step - warmup) / (steps - warmup), 0)
    ),
    "It is a whole period: the factor comes up again. Half a period is cos(pi * progress).": after(
        right_rise, lambda step, steps, warmup, floor: cosine(2 * (step - warmup) / (steps - warmup), floor)
    ),
    "It falls along a straight line; it must be a cosine.": lambda step, steps, warmup, floor: warmup_linear(
        step, steps=steps, warmup=warmup, floor=floor
    ),
    "There is no warm-up.": lambda step, steps, _, floor: cosine(step / steps, floor),
}


def compare(learner: Any, steps: int, warmup: int, floor: float) -> None:
    expected = torch.tensor([warmup_cosine(step, steps=steps, warmup=warmup, floor=floor) for step in range(steps)])
    mistaken = {}
    for sentence, schedule in MISTAKES.items():
        if warmup or "warm-up" not in sentence:
            mistaken[sentence] = all_steps(schedule, steps, warmup, floor)

    def factors_of_all_steps(steps: int, warmup: int, floor: float) -> Tensor:
        return all_steps(learner.factor, steps, warmup, floor)

    expect(factors_of_all_steps, {"steps": steps, "warmup": warmup, "floor": floor}, expected, mistaken)


def check_warmup(learner: Any) -> None:
    """Four steps of warm-up, eight of cosine."""
    compare(learner, steps=12, warmup=4, floor=0.0)


def check_floor(learner: Any) -> None:
    """The cosine ends at a tenth."""
    compare(learner, steps=10, warmup=2, floor=0.1)


def check_no_warmup(learner: Any) -> None:
    """Without a warm-up the first step has the peak."""
    compare(learner, steps=6, warmup=0, floor=0.2)
