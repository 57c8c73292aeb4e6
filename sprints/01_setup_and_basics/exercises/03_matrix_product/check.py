"""Checks of `product` and `linear`: beside PyTorch's `@`."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def count(*shape: int, start: int = 1) -> Tensor:
    """Return start, start + 1, ... in a shape."""
    return torch.arange(start, start + torch.Size(shape).numel()).float().reshape(shape)


def compare_product(learner: Any, left: Tensor, right: Tensor) -> None:
    terms = left[:, :, None] * right
    mistakes = {
        "It multiplies element by element. Each element of the result is a sum of products.": (
            left * right if left.shape == right.shape else terms
        ),
        "The terms are there, but they are not added up over k.": terms,
        "The sum runs over the wrong axis: i and j must remain, k must vanish.": terms.sum(dim=2),
        "The sum runs over the first axis: i must remain, k must vanish.": terms.sum(dim=0),
        "It is transposed: result[i, j] belongs to row i of the left and column j of the right.": (left @ right).mT,
        "It is the mean over k; it must be the sum.": terms.mean(dim=1),
    }
    if left.shape == right.shape:
        mistakes["The right matrix is transposed: rows meet rows; a row must meet a column."] = left @ right.mT
        mistakes["The factors are exchanged: left times right is not right times left."] = right @ left
    expect(learner.product, {"left": left, "right": right}, left @ right, mistakes)


def compare_linear(learner: Any, inputs: Tensor, weight: Tensor, bias: Tensor) -> None:
    products = inputs @ weight
    mistakes = {
        "The bias is missing.": products,
        "The bias is subtracted.": products - bias,
    }
    if len(inputs) == len(bias):
        mistakes["The bias belongs to the outputs, the last axis; yours is added along the examples."] = (
            products + bias[:, None]
        )
    expect(learner.linear, {"inputs": inputs, "weight": weight, "bias": bias}, products + bias, mistakes)


def check_note(learner: Any) -> None:
    """The example of the note: (2, 3) times (3, 2)."""
    compare_product(learner, count(2, 3), torch.tensor([[1.0, 0], [0, 1], [2, 1]]))


def check_square(learner: Any) -> None:
    """Two square matrices, where every mistake has the right shape."""
    compare_product(learner, count(2, 2), count(2, 2, start=5))


def check_row_times_column(learner: Any) -> None:
    """A row times a column is one number, as a matrix of shape (1, 1)."""
    compare_product(learner, count(1, 3), count(3, 1))


def check_linear(learner: Any) -> None:
    """A linear layer: four examples, three features, two outputs."""
    compare_linear(learner, count(4, 3), torch.tensor([[1.0, 0], [0, 1], [2, 1]]), torch.tensor([100.0, 200]))


def check_square_linear(learner: Any) -> None:
    """As many examples as outputs, where a bias along the wrong axis stays unseen in the shape."""
    compare_linear(learner, count(2, 3), torch.tensor([[1.0, 0], [0, 1], [2, 1]]), torch.tensor([100.0, 200]))
