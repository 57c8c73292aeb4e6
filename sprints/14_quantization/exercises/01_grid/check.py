"""Checks of `round_trip`: beside PyTorch's own, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def mistakes(x: Tensor, low: float, high: float, bits: int) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    most = 2**bits - 1
    scale = (high - low) / most
    zero = round(-low / scale)
    steps = (x / scale).round()
    wide = (high - low) / 2**bits
    shifted = round(-low / wide)
    return {
        "Numbers outside of the range do not saturate: clamp the integers to 0 … 2^bits - 1.": steps * scale,
        "The zero point is added on the way there and not taken off on the way back.": (
            (steps + zero).clamp(0, most) * scale
        ),
        "The zero point is missing: without it all negative numbers are cut off.": steps.clamp(0, most) * scale,
        "The integers are cut off towards 0 (or rounded down). They must be rounded to the nearest.": (
            ((x / scale).trunc() + zero).clamp(0, most) - zero
        )
        * scale,
        "The integers are rounded down. They must be rounded to the nearest.": (
            ((x / scale).floor() + zero).clamp(0, most) - zero
        )
        * scale,
        "2^bits integers have 2^bits - 1 steps between them; yours divides by 2^bits.": (
            ((x / wide).round() + shifted).clamp(0, most) - shifted
        )
        * wide,
        "The grid begins at low, and 0 is no point of it: make the zero point a whole number.": (
            ((x - low) / scale).round().clamp(0, most) * scale + low
        ),
        "It returns the integers. They must be turned into numbers again.": (steps + zero).clamp(0, most),
    }


def compare(learner: Any, numbers: list[float], low: float, high: float, bits: int) -> None:
    x, most = torch.tensor(numbers), 2**bits - 1
    scale = (high - low) / most
    expected = torch.fake_quantize_per_tensor_affine(x, scale, round(-low / scale), 0, most)
    given = {"x": x, "low": low, "high": high, "bits": bits}
    expect(learner.round_trip, given, expected, mistakes(x, low, high, bits))


def check_the_numbers_of_the_note(learner: Any) -> None:
    """The numbers that note 1 works out: a step of 0.25, and 2.0 saturates."""
    compare(learner, [-0.5, -0.1, 0.2, 0.6, 1.25, 2.0], -0.5, 1.25, 3)


def check_zero_stays_zero(learner: Any) -> None:
    """A range of which no whole number of steps ends at 0: still 0 comes back as 0."""
    compare(learner, [0.0, -0.31, 0.57, 0.9], -0.4, 1.0, 2)


def check_eight_bits(learner: Any) -> None:
    """Eight bits, numbers on both sides of the range."""
    compare(learner, [-3.0, -1.013, 0.337, 1.611, 9.0], -1.2, 2.3, 8)


def check_a_range_above_zero(learner: Any) -> None:
    """A range that begins at 0."""
    compare(learner, [0.0, 0.41, 1.77, 2.9, 4.0], 0.0, 3.0, 4)
