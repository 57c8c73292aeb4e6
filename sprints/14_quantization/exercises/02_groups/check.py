"""Checks of `round_groups`: beside PyTorch's own, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def rounded(rows: Tensor, most: int, sizes: Tensor | None = None) -> Tensor:
    """Return rows after PyTorch's round trip, a grid for each row."""
    sizes = rows.abs().amax(1) if sizes is None else sizes
    zeros = torch.zeros(len(rows), dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(rows, sizes / most, zeros, 0, -most, most)


def mistakes(weight: Tensor, bits: int, group: int) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    outputs, inputs = weight.shape
    most = 2 ** (bits - 1) - 1
    grouped = weight.reshape(-1, group)
    largest = grouped.abs().amax(1, keepdim=True)
    signed = grouped.amax(1, keepdim=True).clamp(min=1e-6) / most
    full, half = largest / (2**bits - 1), largest / 2 ** (bits - 1)
    scattered = weight.unflatten(1, (group, -1)).transpose(1, 2).reshape(-1, group)
    back = rounded(scattered, most).unflatten(0, (outputs, -1)).transpose(1, 2).flatten(1)
    found = {
        "One grid for the whole matrix: each group must have its own.": rounded(weight.reshape(1, -1), most),
        "A grid for each row: each group of a row must have its own.": rounded(weight, most),
        "A grid for each column: a group lies within a row.": rounded(weight.T.contiguous(), most).T,
        "A group is made of weights that are far apart. It must be made of neighbours in a row.": back,
        "The largest weight is taken with its sign: take the largest absolute value.": (
            (grouped / signed).round() * signed
        ),
        "The step is divided by all 2^bits - 1 steps. Half of them are for negative numbers: 2^(bits-1) - 1.": (
            (grouped / full).round() * full
        ),
        "The step is divided by 2^(bits-1). The last point above 0 is the integer 2^(bits-1) - 1.": (
            (grouped / half).round() * half
        ),
        "It returns the integers. They must be turned into weights again.": (grouped / (largest / most)).round(),
    }
    return {sentence: wrong.reshape(outputs, inputs) for sentence, wrong in found.items()}


def compare(learner: Any, weight: Tensor, bits: int, group: int) -> None:
    expected = rounded(weight.reshape(-1, group), 2 ** (bits - 1) - 1).reshape(weight.shape)
    given = {"weight": weight, "bits": bits, "group": group}
    expect(learner.round_groups, given, expected, mistakes(weight, bits, group))


def check_pairs(learner: Any) -> None:
    """Two rows of two pairs; the second row is ten times as large."""
    compare(learner, torch.tensor([[0.3, -0.2, 0.13, 0.4], [6.0, -4.1, 2.2, 3.1]]), 4, 2)


def check_negative_groups(learner: Any) -> None:
    """Groups whose largest weight is negative, or that have only negative ones."""
    compare(learner, torch.tensor([[-1.3, 0.22, -0.71, -0.14], [0.53, -2.1, -0.33, -0.91]]), 3, 2)


def check_groups_of_three(learner: Any) -> None:
    """Two groups of three in a row, of different sizes."""
    weight = torch.tensor([[0.11, -0.27, 0.35, 7.0, 2.3, -4.4], [1.9, 0.62, -1.1, 0.013, 0.02, -0.031]])
    compare(learner, weight, 4, 3)


def check_eight_bits(learner: Any) -> None:
    """Eight bits, random weights."""
    weight = torch.randn(3, 8, generator=torch.Generator().manual_seed(0))
    compare(learner, weight, 8, 4)
