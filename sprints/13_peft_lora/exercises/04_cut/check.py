"""Checks of `cut` and `energy`: the example of the note, shapes, and the best there is."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

NOTE = torch.tensor([[4.0, 0], [3, -5]])


def product(learner: Any, change: Tensor, rank: int, expected: Tensor) -> None:
    left, values, right = torch.linalg.svd(change, full_matrices=False)
    mistakes = {
        "The smallest singular values are kept; they come last.": (left[:, -rank:] * values[-rank:]) @ right[-rank:],
        "The singular values are missing: B has them in it.": left[:, :rank] @ right[:rank],
        "The singular values are there twice, in A and in B.": (left[:, :rank] * values[:rank].square()) @ right[:rank],
        "Nothing was cut.": change,
    }

    def multiply(change: Tensor, rank: int) -> Tensor:
        down, up = learner.cut(change, rank)
        return up @ down

    expect(multiply, {"change": change, "rank": rank}, expected, mistakes)


def check_the_example_of_the_note(learner: Any) -> None:
    """The part of rank 1 has the rows (2, -2) and (4, -4)."""
    product(learner, NOTE, 1, torch.tensor([[2.0, -2], [4, -4]]))


def check_a_wide_matrix(learner: Any) -> None:
    """Rank 2 of four rows and seven columns: the factors have the shapes of A and B."""
    change = torch.randn(4, 7, generator=torch.Generator().manual_seed(0))
    left, values, right = torch.linalg.svd(change, full_matrices=False)
    expect(lambda change, rank: tuple(learner.cut(change, rank)[0].shape), {"change": change, "rank": 2}, (2, 7), {
        "A and B are exchanged: A comes first and is (rank, in).": (4, 2),
    })  # fmt: skip
    product(learner, change, 2, (left[:, :2] * values[:2]) @ right[:2])


def check_a_tall_matrix(learner: Any) -> None:
    """Rank 3 of nine rows and five columns."""
    change = torch.randn(9, 5, generator=torch.Generator().manual_seed(1))
    left, values, right = torch.linalg.svd(change, full_matrices=False)
    product(learner, change, 3, (left[:, :3] * values[:3]) @ right[:3])


def check_the_rows_of_a_have_length_one(learner: Any) -> None:
    """The singular values are in B."""
    expect(lambda change, rank: learner.cut(change, rank)[0].norm(dim=1), {"change": NOTE, "rank": 2}, torch.ones(2))


def check_energy(learner: Any) -> None:
    """The first part holds 40 / 50 of the energy."""
    expect(learner.energy, {"change": NOTE, "rank": 1}, torch.tensor(0.8), {
        "It is a part of the sum of singular values; energy is made of their squares.": torch.tensor(2 / 3),
        "It is the root of the energy, a part of the norm.": torch.tensor(0.8).sqrt(),
        "It is the part that is lost.": torch.tensor(0.2),
    })  # fmt: skip
