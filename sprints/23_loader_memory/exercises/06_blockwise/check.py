"""Checks of `blockwise` and `restored`: numbers of the note, blocks of their own, zeros, and every other choice."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

DYNAMIC = torch.tensor([-1.0, -0.5, -0.1, -0.01, 0.0, 0.001, 0.01, 0.1, 0.4, 1.0])


def nearest(values: Tensor, code: Tensor, block: int) -> tuple[Tensor, Tensor]:
    """Return what is expected, number by number."""
    rows, scales = [], []
    for part in values.flatten().split(block):
        scale = max(part.abs().max().item(), 1e-30)
        rows.append([min(range(len(code)), key=lambda i: abs(code[i].item() - x / scale)) for x in part.tolist()])
        scales.append(scale)
    return torch.tensor(rows, dtype=torch.uint8), torch.tensor(scales)


def compare(learner: Any, values: Tensor, code: Tensor, block: int) -> None:
    given: dict[str, Any] = {"values": values, "code": code, "block": block}
    numbers, scales = nearest(**given)
    blocks = values.reshape(-1, block)
    signed = blocks.amax(dim=1, keepdim=True).clamp_min(1e-30)
    scaled = blocks / scales[:, None]
    below = (torch.searchsorted(code, scaled.contiguous(), right=True) - 1).clamp_min(0).to(torch.uint8)
    even = ((scaled - code[0]) / (code[-1] - code[0]) * (len(code) - 1)).round().to(torch.uint8)
    mistakes = {
        "There is one scale for all: every block has its own.": (
            (values.reshape(-1, block)[..., None] / values.abs().max() - code).abs().argmin(-1).to(torch.uint8),
            values.abs().max().expand(len(blocks)),
        ),
        "The scale is the largest value; it must be the largest absolute value.": (
            ((blocks / signed)[..., None] - code).abs().argmin(-1).to(torch.uint8), signed.flatten(),
        ),
        "This is the value below; it must be the nearest one.": (below, scales),
        "This rounds in even steps; the code has its own.": (even, scales),
    }  # fmt: skip
    for place, expected in enumerate((numbers, scales)):

        def part(*arguments: Any, place: int = place) -> Tensor:
            return learner.blockwise(*arguments)[place]

        expect(part, given, expected, {sentence: results[place] for sentence, results in mistakes.items()})


def check_one_block(learner: Any) -> None:
    """Four numbers, of which the largest has a minus sign."""
    compare(learner, torch.tensor([-8.0, 4.0, 0.3, -0.02]), DYNAMIC, 4)


def check_blocks_of_their_own(learner: Any) -> None:
    """Two rows of two blocks of very different size."""
    compare(learner, torch.tensor([[100.0, -45.0, 0.2, 0.01], [3.0, 1.0, -1e-3, 2e-4]]), DYNAMIC, 2)


def check_a_block_of_zeros(learner: Any) -> None:
    """An average that has not moved yet."""
    compare(learner, torch.tensor([0.0, 0, 0, 2, 1, -2]), DYNAMIC, 3)


def check_random_numbers(learner: Any) -> None:
    """Three blocks of eight."""
    compare(learner, torch.randn(3, 8, generator=torch.Generator().manual_seed(0)), DYNAMIC, 8)


def check_restored(learner: Any) -> None:
    """Back to numbers, each with the scale of its block."""
    numbers, scales = torch.tensor([[0, 8], [9, 4]], dtype=torch.uint8), torch.tensor([2.0, 0.5])
    expected = torch.tensor([-2.0, 0.8, 0.5, 0.0])
    mistakes = {
        "The values of the code still have to be multiplied by their block's scale.": expected
        / scales.repeat_interleave(2)
    }
    expect(learner.restored, {"numbers": numbers, "scales": scales, "code": DYNAMIC}, expected, mistakes)
