"""Checks of sinusoidal positions, number by number, and the usual mistakes by name."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def table(tokens: int, d_model: int, angle: Callable[[int, int], float]) -> Tensor:
    """Return an encoding by two loops, from the angle of a hand at a position."""
    rows = [[(math.sin, math.cos)[f % 2](angle(p, f // 2)) for f in range(d_model)] for p in range(tokens)]
    return torch.tensor(rows)


def compare(learner: Any, tokens: int, d_model: int) -> None:
    def speed(hand: float) -> float:
        return 10_000 ** (-2 * hand / d_model)

    expected = table(tokens, d_model, lambda p, hand: p * speed(hand))
    sines, cosines = expected[:, 0::2], expected[:, 1::2]
    mistakes = {
        "The cosines come first: feature 2i is the sine, 2i + 1 the cosine.": (
            torch.stack([cosines, sines], dim=-1).flatten(1)
        ),
        "All sines stand before all cosines. Those of one hand belong side by side.": torch.cat([sines, cosines], -1),
        "The exponent has i where the formula has 2i.": table(tokens, d_model, lambda p, hand: p * speed(hand / 2)),
        "The hands get faster: the exponent needs a minus.": table(
            tokens, d_model, lambda p, hand: p * 10_000 ** (2 * hand / d_model)
        ),
        "Positions are counted from 1. The first one is 0, where all sines are 0.": table(
            tokens, d_model, lambda p, hand: (p + 1) * speed(hand)
        ),
        "Every hand has the same speed.": table(tokens, d_model, lambda p, _: p),
        "Sine and cosine of a pair have different speeds: both features of hand i use w_i.": torch.tensor(
            [[(math.sin, math.cos)[f % 2](p * 10_000 ** (-f / d_model)) for f in range(d_model)] for p in range(tokens)]
        ),
        "Rows and columns are exchanged: a row is a position.": expected.T,
    }
    expect(learner.sinusoidal_positions, {"tokens": tokens, "d_model": d_model}, expected, mistakes)


def check_two_hands(learner: Any) -> None:
    """Four positions and four features, the table of note 5."""
    compare(learner, 4, 4)


def check_one_hand(learner: Any) -> None:
    """A single hand at six positions."""
    compare(learner, 6, 2)


def check_many_hands(learner: Any) -> None:
    """Twelve features at three positions."""
    compare(learner, 3, 12)


def check_one_position(learner: Any) -> None:
    """Position 0 alone: all hands at twelve."""
    compare(learner, 1, 8)
