"""Checks of `start` and `adapt`: the example of the note, PyTorch's own layers, and how it begins."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def draw(*shape: int, seed: int = 0) -> Tensor:
    """Return small numbers of one decimal."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).mul(10).round().div(10)


def mistakes(y: Tensor, down: Tensor, down_bias: Tensor, up: Tensor, up_bias: Tensor) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    narrow = functional.linear(y, down, down_bias)
    added = functional.linear(narrow.relu(), up, up_bias)
    return {
        "The way around the bottleneck is missing: y has to be added.": added,
        "There is no nonlinearity, so that it is a matrix after all.": y + functional.linear(narrow, up, up_bias),
        "ReLU comes too late: it belongs between the two matrices.": y + functional.linear(narrow, up, up_bias).relu(),
        "ReLU cuts the sum as well: what the frozen layer gave may be negative.": (y + added).relu(),
        "The bias of the way down is missing.": y + functional.linear((y @ down.mT).relu(), up, up_bias),
        "The bias of the way down comes after ReLU.": y
        + functional.linear((y @ down.mT).relu() + down_bias, up, up_bias),
        "The bias of the way up is missing.": y + added - up_bias,
    }


def compare(learner: Any, *values: Tensor) -> None:
    given = dict(zip(("y", "down", "down_bias", "up", "up_bias"), values, strict=True))
    y, down, down_bias, up, up_bias = values
    right = y + functional.linear(functional.linear(y, down, down_bias).relu(), up, up_bias)
    expect(learner.adapt, given, right, mistakes(*values))


def check_the_example_of_the_note(learner: Any) -> None:
    """(2, -1) becomes (2.5, -2), and (-2, 1) stays."""
    up = torch.tensor([[0.5], [-1.0]])
    for y in ((2.0, -1.0), (-2.0, 1.0)):
        compare(learner, torch.tensor(y), torch.ones(1, 2), torch.zeros(1), up, torch.zeros(2))


def check_biases_and_a_batch(learner: Any) -> None:
    """Two texts of three tokens, four features, a bottleneck of two, with biases."""
    compare(learner, draw(2, 3, 4), draw(2, 4, seed=1), draw(2, seed=2), draw(4, 2, seed=3), draw(4, seed=4))


def check_a_fresh_one_changes_nothing(learner: Any) -> None:
    """With the matrices of `start`, and biases of zero, the output is y."""

    def through(y: Tensor) -> Tensor:
        down, up = learner.start(4, 2, torch.Generator().manual_seed(0))
        return y + (y @ down.mT).relu() @ up.mT

    y = draw(3, 4, seed=5)
    expect(through, {"y": y}, y)


def check_the_way_up_moves_first(learner: Any) -> None:
    """The gradient of `up` is not zero at the start: something arrives there."""

    def moving(features: int, width: int) -> dict[str, bool]:
        down, up = learner.start(features, width, torch.Generator().manual_seed(0))
        return {"down gets a gradient": bool((up != 0).any()), "up gets a gradient": bool((down != 0).any())}

    expected = {"down gets a gradient": False, "up gets a gradient": True}
    expect(moving, {"features": 6, "width": 2}, expected, {
        "Both matrices are zero: neither gets a gradient, so nothing is ever learnt.": (
            {"down gets a gradient": False, "up gets a gradient": False}
        ),
        "The way down is zero and the way up is random: here it is to be the other way round.": (
            {"down gets a gradient": True, "up gets a gradient": False}
        ),
        "Both matrices are random: the model is changed before it has learnt anything.": (
            {"down gets a gradient": True, "up gets a gradient": True}
        ),
    })  # fmt: skip


def check_the_numbers_of_the_way_down(learner: Any) -> None:
    """The way down is uniform within 1 / sqrt(features), drawn by the generator."""

    def drawn(features: int, width: int) -> Tensor:
        return learner.start(features, width, torch.Generator().manual_seed(3))[0]

    def uniform(bound: float) -> Tensor:
        return torch.empty(2, 16).uniform_(-bound, bound, generator=torch.Generator().manual_seed(3))

    expect(drawn, {"features": 16, "width": 2}, uniform(1 / 4), {
        "The bound is made of the width; it must be made of the features.": uniform(1 / math.sqrt(2)),
        "The bound is 1 / features; it must be 1 / sqrt(features).": uniform(1 / 16),
    })  # fmt: skip
