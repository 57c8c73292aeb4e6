"""Checks of mean squared error and its gradient: beside PyTorch's loss and its autograd."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def compare(learner: Any, predictions: Tensor, targets: Tensor) -> None:
    given = {"predictions": predictions, "targets": targets}
    error = predictions - targets
    expected = functional.mse_loss(predictions, targets)
    mistakes = {
        "It is the sum of the squares; divide by how many there are.": error.square().sum(),
        "The errors are not squared: those above and below cancel out.": error.mean(),
        "It is the mean absolute error: square the errors.": error.abs().mean(),
        "It is the root of the mean squared error; the root is not part of it.": expected.sqrt(),
        "The squares are halved. That is another common loss, but not this one.": expected / 2,
        "The mean is squared; take the mean of the squares.": error.mean().square(),
        "The mean is taken over one axis only.": error.square().mean(-1),
    }
    expect(learner.mean_squared_error, given, expected, mistakes)


def compare_gradient(learner: Any, predictions: Tensor, targets: Tensor) -> None:
    given = {"predictions": predictions, "targets": targets}
    leaf = predictions.clone().requires_grad_()
    (expected,) = torch.autograd.grad(functional.mse_loss(leaf, targets), leaf)
    mistakes = {
        "The factor 2 of the square is missing.": expected / 2,
        "It is the gradient of the sum: divide by how many errors there are.": expected * predictions.numel(),
        "Its sign is wrong: the loss grows where a prediction that is too high gets higher.": -expected,
        "It is divided by the rows only; the mean is over all errors.": expected * predictions[0].numel(),
        "It is the derivative by a weight common to all predictions. Each prediction has one of its own.": (
            expected.sum()
        ),
    }
    expect(learner.mean_squared_error_gradient, given, expected, mistakes)


def check_three_points(learner: Any) -> None:
    """The line of note 1 before the first step has a loss of 11."""
    compare(learner, torch.zeros(3), torch.tensor([1.0, 4.0, 4.0]))


def check_errors_of_both_signs(learner: Any) -> None:
    """Errors above and below do not cancel out."""
    compare(learner, torch.tensor([1.5, 3.0, 4.5, 2.0]), torch.tensor([1.0, 4.0, 4.0, 5.0]))


def check_rows(learner: Any) -> None:
    """Predictions with two axes have one loss."""
    compare(learner, torch.tensor([[1.0, 2.0], [0.0, 4.0]]), torch.tensor([[3.0, 2.0], [1.0, 1.0]]))


def check_gradient(learner: Any) -> None:
    """The gradient at the predictions of note 1."""
    compare_gradient(learner, torch.tensor([0.7, 1.4, 2.1]), torch.tensor([1.0, 4.0, 4.0]))


def check_gradient_of_rows(learner: Any) -> None:
    """The gradient has the shape of the predictions."""
    compare_gradient(learner, torch.tensor([[1.0, 2.0], [0.0, 4.0]]), torch.tensor([[3.0, 1.0], [1.0, 1.0]]))
