"""Checks of `selective_scan`: beside the library of this repository, and the usual mistakes by name."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect
from shared.nn.mamba import selective_scan

Given = dict[str, Tensor]


def reference(given: Given) -> Tensor:
    rows = {name: value if name == "rate" else value[None] for name, value in given.items()}
    return selective_scan(**rows, way="tokens")[0][0]


def loop(
    given: Given,
    decay: Callable[[Tensor, Tensor], Tensor] = lambda step, rate: (step[:, None] * rate).exp(),
    timed: bool = True,
    fades: bool = False,
    late: bool = False,
    direction: str = "read",
) -> Tensor:
    """Return what a selective scan makes with a mistake in it."""
    state, outputs = torch.zeros_like(given["rate"]), []
    for place, (x, step) in enumerate(zip(given["x"], given["step"], strict=True)):
        kept, before = decay(step, given["rate"]), state
        written = (step * x if timed else x)[:, None] * given["write"][place]
        state = kept * (state + written) if fades else kept * state + written
        outputs.append((before if late else state) @ given[direction][place])
    return torch.stack(outputs)


def mistakes(given: Given) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    return {
        "The token is written whole: multiply it by its time step, or one that lasts no time is written too.": loop(
            given, timed=False
        ),
        "The decay does not know the time step: it is exp(step * rate).": loop(
            given, decay=lambda step, rate: rate.exp() * torch.ones_like(step)[:, None]
        ),
        "What is new fades at once: the decay is for the old state alone.": loop(given, fades=True),
        "The state is read along the direction of writing; there is one of its own for reading.": loop(
            given, direction="write"
        ),
        "The state is read before the token is written: it should see the token as well.": loop(given, late=True),
        "The decay is 1 + step * rate, which is below 0 for long steps; it is the exponential.": loop(
            given, decay=lambda step, rate: 1 + step[:, None] * rate
        ),
    }


def compare(learner: Any, given: Given) -> None:
    expect(learner.selective_scan, given, reference(given), mistakes(given))


def check_by_hand(learner: Any) -> None:
    """The three tokens of note 8: the second one lasts no time."""
    one = torch.ones(3, 1)
    given = {"x": torch.tensor([[3.0], [5], [2]]), "step": torch.tensor([[1.0], [0], [1]])}
    compare(learner, given | {"rate": torch.tensor([[-math.log(2)]]), "write": one, "read": one})


def check_directions(learner: Any) -> None:
    """Two features and a state of three numbers for each; steps from short to long."""
    given = {
        "x": torch.tensor([[1.0, -1], [2, 0.5], [0.5, 3], [-1, 1]]),
        "step": torch.tensor([[0.5, 1], [1, 0.25], [2, 1.5], [0.5, 3]]),
        "rate": torch.tensor([[-1.0, -0.5, -2], [-0.25, -1, -0.5]]),
        "write": torch.tensor([[1.0, 0, 2], [0.5, 1, -1], [1, 1, 0], [0, 2, 1]]),
        "read": torch.tensor([[0.5, 1, 1], [1, -1, 0.5], [2, 0, 1], [1, 1, 1]]),
    }
    compare(learner, given)
