"""Checks of `convert` and `restore`: by hand, in groups, with integers at the ends, and a Conv1D that is square."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def integers_of(rows: Tensor, steps: Tensor, lowest: int, highest: int) -> Tensor:
    """Return the integers of weights (outputs, inputs), each with the step of its group."""
    return (rows / spread(steps, rows.shape[1])).round().clamp(lowest, highest).to(torch.int8)


def spread(steps: Tensor, inputs: int) -> Tensor:
    """Return the step of each weight of a row."""
    return steps.repeat_interleave(inputs // steps.shape[1], dim=1)


def mistakes(weight: Tensor, steps: Tensor, bits: int, conv1d: bool) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    rows = weight.T if conv1d else weight
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    largest = rows.unflatten(1, (steps.shape[1], -1)).abs().amax(-1)
    tiled = steps.repeat(1, rows.shape[1] // steps.shape[1])
    exact = rows / spread(steps, rows.shape[1])
    found = {
        "The steps were computed anew from the weights: use those that were trained.": integers_of(
            rows, 2 * largest / (2**bits - 1), lowest, highest
        ),
        "The digits behind the point are cut off: round before the type changes.": exact.clamp(lowest, highest).to(
            torch.int8
        ),
        "Integers lie outside of what so many bits hold: clamp them to both ends.": exact.round().to(torch.int8),
        "The integer -2^(bits-1) is never used: the lowest is one further from 0 than the highest.": integers_of(
            rows, steps, -highest, highest
        ),
        "The steps are laid side by side again and again: a group is made of neighbours, which share one step.": (
            (rows / tiled).round().clamp(lowest, highest).to(torch.int8)
        ),
    }
    if conv1d and weight.shape[0] == weight.shape[1]:
        found["A Conv1D keeps (inputs, outputs), and groups lie in the row of an output: transpose it first."] = (
            integers_of(weight, steps, lowest, highest)
        )
    return found


def compare(learner: Any, weight: Tensor, steps: Tensor, bits: int, conv1d: bool = False) -> None:
    rows = weight.T if conv1d else weight
    expected = integers_of(rows, steps, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    given = {"weight": weight, "steps": steps, "bits": bits, "conv1d": conv1d}
    expect(learner.convert, given, expected, mistakes(weight, steps, bits, conv1d))


def compare_restored(learner: Any, integers: Tensor, steps: Tensor, conv1d: bool = False) -> None:
    rows = integers * spread(steps, integers.shape[1])
    tiled = integers * steps.repeat(1, integers.shape[1] // steps.shape[1])
    wrong = {
        "The steps are laid side by side again and again: a group is made of neighbours, which share one step.": tiled,
        "Every group of a row has the step of the first.": integers * steps[:, :1],
    }
    if conv1d:
        wrong = {sentence: mistaken.T for sentence, mistaken in wrong.items()}
        wrong["A Conv1D keeps (inputs, outputs): the weight must be turned back."] = rows
    given = {"integers": integers, "steps": steps, "conv1d": conv1d}
    expect(learner.restore, given, rows.T if conv1d else rows, wrong, tolerance=1e-6)


def check_the_table_of_note_4(learner: Any) -> None:
    """The table of note 4 before training, with a step of 0.2 for each row."""
    compare(learner, torch.tensor([[0.45, -0.25], [0.58, 0.12]]), torch.full((2, 1), 0.2), 3)


def check_groups_with_steps_of_their_own(learner: Any) -> None:
    """Two groups of two in a row; the steps are not those that the largest weight would give."""
    weight = torch.tensor([[0.31, -0.22, 1.9, 0.6], [4.2, -2.9, 0.05, 0.13]])
    compare(learner, weight, torch.tensor([[0.1, 0.5], [1.0, 0.04]]), 4)


def check_what_lies_outside(learner: Any) -> None:
    """A trained step may be shorter than the largest weight needs: both ends are reached."""
    weight = torch.tensor([[-0.9, 0.8, 0.33, -0.11], [-0.31, 0.24, 0.07, 0.6]])
    compare(learner, weight, torch.tensor([[0.1], [0.2]]), 3)


def check_a_square_conv1d(learner: Any) -> None:
    """A Conv1D with as many inputs as outputs: no shape tells that it was not transposed."""
    weight = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    steps = torch.tensor([[0.2, 0.5], [0.3, 0.1], [0.4, 0.25], [0.15, 0.35]])
    compare(learner, weight, steps, 4, conv1d=True)


def check_the_way_back(learner: Any) -> None:
    """Integers of two groups become weights again."""
    integers = torch.tensor([[3, -2, 4, 1], [4, -3, 1, -8]], dtype=torch.int8)
    compare_restored(learner, integers, torch.tensor([[0.1, 0.5], [1.0, 0.04]]))


def check_the_way_back_of_a_conv1d(learner: Any) -> None:
    """The weight of a Conv1D goes back into its own layout."""
    integers = torch.tensor([[3, -2, 4, 1], [4, -3, 1, -8]], dtype=torch.int8)
    compare_restored(learner, integers, torch.tensor([[0.1, 0.5], [1.0, 0.04]]), conv1d=True)
