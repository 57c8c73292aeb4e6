"""Checks of `quantize` and `dequantize`: the block of the note, several blocks, zeros, and there and back."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

# NF4 in four digits, as torchao has it.
LEVELS = torch.tensor(
    [
        -1.0000, -0.6962, -0.5251, -0.3949, -0.2844, -0.1848, -0.0911, 0.0000,
        0.0796, 0.1609, 0.2461, 0.3379, 0.4407, 0.5626, 0.7230, 1.0000,
    ]
)  # fmt: skip
BLOCK = torch.tensor([[0.30, -0.12, 0.05, -0.60, 0.01, 0.22, -0.31, 0.45]])
SEVERAL = torch.tensor([[0.5, 0.1, -0.2, 0.3], [4.0, -1.0, 8.0, 2.0], [-0.3, 0.1, 0.2, 0.04]])


def codes_of(weights: Tensor, constants: Tensor) -> Tensor:
    return (weights[:, :, None] / constants[:, None, None] - LEVELS).abs().argmin(dim=-1)


def packed(codes: Tensor) -> Tensor:
    return (codes[:, ::2] * 16 + codes[:, 1::2]).to(torch.uint8)


def compare(learner: Any, weights: Tensor) -> None:
    """Compare both things that `quantize` returns, the constants first."""
    constants = weights.abs().amax(dim=1)
    given = {"weights": weights, "levels": LEVELS}
    of_constants = {
        "The constant is the largest weight; it must be the largest absolute weight.": weights.amax(dim=1),
        "All blocks have the same constant: each must have its own.": weights.abs().max().expand(len(weights)).clone(),
        "The constant is the standard deviation; it must be the largest absolute weight.": weights.std(dim=1),
        "The constant is the mean absolute weight; it must be the largest one.": weights.abs().mean(dim=1),
    }
    expect(lambda weights, levels: learner.quantize(weights, levels)[1], given, constants, of_constants)
    codes, units = codes_of(weights, constants), weights / constants[:, None]
    below = (torch.searchsorted(LEVELS, units.contiguous(), right=True) - 1).clamp(0, 15)
    above = torch.searchsorted(LEVELS, units.contiguous()).clamp(0, 15)
    even = ((units + 1) / 2 * 15).round().long()
    swapped = (codes[:, 1::2] * 16 + codes[:, ::2]).to(torch.uint8)
    of_bytes = {
        "The first number of a pair stands in the lower half of the byte; it belongs into the upper one.": swapped,
        "Weights go to the level below them; take the nearest.": packed(below),
        "Weights go to the level above them; take the nearest.": packed(above),
        "Weights are rounded in even steps, but the levels are not even.": packed(even),
        "Weights are not divided by the constant of their block.": packed(codes_of(weights, torch.ones(len(weights)))),
        "There is a byte for each weight; two of them share one.": codes.to(torch.uint8),
    }
    expect(lambda weights, levels: learner.quantize(weights, levels)[0], given, packed(codes), of_bytes)


def check_the_block_of_the_note(learner: Any) -> None:
    """Eight weights, the largest of which is negative."""
    compare(learner, BLOCK)


def check_each_block_has_its_constant(learner: Any) -> None:
    """Three blocks of different sizes."""
    compare(learner, SEVERAL)


def check_dequantize(learner: Any) -> None:
    """Level times constant, in order."""
    codes, constants = torch.tensor([[12, 5, 8, 0], [1, 2, 3, 15]]), torch.tensor([0.5, 2.0])
    expected = LEVELS[codes] * constants[:, None]
    swapped = expected.unflatten(1, (-1, 2)).flip(-1).flatten(1)
    halves = torch.cat([expected[:, ::2], expected[:, 1::2]], dim=1)
    mistakes = {
        "The constants are missing: multiply each block by its own.": LEVELS[codes],
        "The halves of a byte are swapped: the upper one comes first.": swapped,
        "All upper halves come first, then all lower ones; the two of a byte are neighbours.": halves,
        "Codes are taken for even steps; look up their levels.": (codes / 7.5 - 1) * constants[:, None],
    }
    given = {"packed": packed(codes), "constants": constants, "levels": LEVELS}
    expect(learner.dequantize, given, expected, mistakes)


def check_zeros(learner: Any) -> None:
    """A block of zeros comes back as zeros, and not as NaN."""

    def there_and_back(weights: Tensor, levels: Tensor) -> Tensor:
        return learner.dequantize(*learner.quantize(weights, levels), levels)

    expect(there_and_back, {"weights": torch.zeros(2, 4), "levels": LEVELS}, torch.zeros(2, 4))

    def code(weights: Tensor, levels: Tensor) -> Tensor:
        return learner.quantize(weights, levels)[0]

    mistakes = {
        "0 divided by 0 is no number, and its nearest level is any: divide a block of zeros by 1.": torch.zeros(
            1, 2, dtype=torch.uint8
        )
    }
    given = {"weights": torch.zeros(1, 4), "levels": LEVELS}
    expect(code, given, torch.full((1, 2), 7 * 16 + 7, dtype=torch.uint8), mistakes)
