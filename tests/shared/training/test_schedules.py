"""Schedules rise, fall, and are those of transformers."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch.optim import SGD
from transformers import get_cosine_schedule_with_warmup, get_linear_schedule_with_warmup, get_wsd_schedule

from shared.training.schedules import constant, warmup_cosine, warmup_linear, warmup_stable_decay


def test_schedules_rise_and_fall():
    assert constant(7) == 1
    for schedule, floor in ((warmup_cosine, 0.1), (warmup_linear, 0.0)):
        factors = [schedule(step, steps=100, warmup=10) for step in range(101)]
        assert factors[:10] == pytest.approx([(step + 1) / 10 for step in range(10)])
        assert factors[10] == 1
        assert factors[10:] == sorted(factors[10:], reverse=True)
        assert factors[100] == pytest.approx(floor)
        assert factors[55] == pytest.approx((1 + floor) / 2)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (partial(warmup_cosine, floor=0.0), get_cosine_schedule_with_warmup),
        (warmup_linear, get_linear_schedule_with_warmup),
        (warmup_stable_decay, partial(get_wsd_schedule, num_decay_steps=20, decay_type="linear")),
    ],
)
def test_after_the_warmup_the_factors_are_those_of_transformers(ours: Callable, theirs: Callable):
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = theirs(optimizer, num_warmup_steps=10, num_training_steps=100)
    for step in range(100):
        # Theirs begins at 0 and so wastes the first step; ours begins one step further on.
        factor = optimizer.param_groups[0]["lr"]
        assert ours(step, steps=100, warmup=10) == pytest.approx(factor + 0.1 if step < 10 else factor)
        optimizer.step()
        schedule.step()


def test_without_warmup_the_first_step_is_at_the_peak():
    assert warmup_cosine(0, steps=0, warmup=0) == warmup_linear(0, steps=0, warmup=0) == 1
