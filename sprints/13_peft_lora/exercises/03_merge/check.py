"""Checks of `merge`: both layouts, what stays, and rounding once."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def factors(outputs: int, inputs: int, rank: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return W (out, in), A and B."""
    generator = torch.Generator().manual_seed(seed)
    shapes = ((outputs, inputs), (rank, inputs), (outputs, rank))
    weight, down, up = (torch.randn(shape, generator=generator) for shape in shapes)
    return weight, down, up


def compare(learner: Any, weight: Tensor, down: Tensor, up: Tensor, transposed: bool) -> None:
    change = 0.5 * up @ down
    right = change.mT if transposed else change
    mistakes = {
        "The scale is forgotten.": weight + 2 * right,
        "The change is subtracted.": weight - right,
        "It is the change alone: add the weight.": right,
    }
    if weight.shape[0] == weight.shape[1]:
        mistakes["The change has the other layout: (in, out) and (out, in) are exchanged."] = weight + right.mT
    given = {"weight": weight, "down": down, "up": up, "scale": 0.5, "transposed": transposed}
    expect(learner.merge, given, weight + right, mistakes)


def check_the_example_of_the_note(learner: Any) -> None:
    """W' has the rows (2, 0, 3) and (-2, 1, -3)."""
    given = {
        "weight": torch.tensor([[1.0, 0, 2], [0, 1, -1]]), "down": torch.tensor([[1.0, 0, 1]]),
        "up": torch.tensor([[0.5], [-1.0]]), "scale": 2.0, "transposed": False,
    }  # fmt: skip
    expect(learner.merge, given, torch.tensor([[2.0, 0, 3], [-2, 1, -3]]))


def check_a_square_weight(learner: Any) -> None:
    """The layout of nn.Linear, where a square hides a transposition."""
    compare(learner, *factors(4, 4, 2, 0), transposed=False)


def check_the_other_layout(learner: Any) -> None:
    """The layout of Conv1D, square."""
    compare(learner, *factors(4, 4, 2, 1), transposed=True)


def check_the_other_layout_of_another_shape(learner: Any) -> None:
    """The layout of Conv1D, three features in and five out."""
    weight, down, up = factors(5, 3, 2, 2)
    compare(learner, weight.mT.contiguous(), down, up, transposed=True)


def check_it_is_rounded_once(learner: Any) -> None:
    """A weight in bfloat16 comes back in bfloat16, and the sum was made in float32."""
    weight, down, up = factors(3, 4, 2, 3)
    weight = weight.bfloat16()
    change = 0.01 * up @ down
    given = {"weight": weight, "down": down, "up": up, "scale": 0.01, "transposed": False}
    expect(learner.merge, given, (weight + change).bfloat16(), {
        "The change is rounded before it is added: round the sum, once.": weight + change.bfloat16(),
    })  # fmt: skip
