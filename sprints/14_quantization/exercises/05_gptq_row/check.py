"""Checks of `round_row`: beside least squares, solved anew for each column, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def reference(weight: Tensor, hessian: Tensor, step: float) -> Tensor:
    """Return the row, where after each column the weights to the right are found by solving for the least error."""
    current = weight.clone()
    for column in range(len(weight)):
        current[column] = (current[column] / step).round() * step
        done, rest = slice(0, column + 1), slice(column + 1, len(weight))
        pull = hessian[rest, done] @ (weight[done] - current[done])
        current[rest] = weight[rest] + torch.linalg.solve(hessian[rest, rest], pull)
    return current


def passed_on(weight: Tensor, rows: Tensor, step: float, sign: float = -1.0, *, divide: bool = True) -> Tensor:
    """Return the row, where the error of each column goes to the right by a row of some matrix."""
    current = weight.clone()
    for column in range(len(weight)):
        rounded = (current[column] / step).round() * step
        error = current[column] - rounded
        moved = rows[column, column + 1 :] / (rows[column, column] if divide else 1.0)
        current[column + 1 :] += sign * error * moved
        current[column] = rounded
    return current


def mistakes(weight: Tensor, hessian: Tensor, step: float) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    inverse = torch.linalg.inv(hessian)
    factor = torch.linalg.cholesky(inverse, upper=True)
    return {
        "Each weight goes to the nearest point: hand its error to those on its right.": (weight / step).round() * step,
        "The error is passed on with the wrong sign.": passed_on(weight, factor, step, 1.0),
        "The error is passed on by the rows of H. It must be those of (a factor of) its inverse.": passed_on(
            weight, hessian, step
        ),
        "The error is passed on by the rows of the whole inverse, in which columns that are rounded could still move: "
        "take them out (a row of U does that).": passed_on(weight, inverse, step),
        "The error is not divided by the diagonal of the factor.": passed_on(weight, factor, step, divide=False),
    }


def compare(learner: Any, weight: Tensor, hessian: Tensor, step: float) -> None:
    expected = reference(weight, hessian, step)
    given = {"weight": weight, "hessian": hessian, "step": step}
    expect(learner.round_row, given, expected, mistakes(weight, hessian, step))


def check_two_weights(learner: Any) -> None:
    """The example of note 12."""
    compare(learner, torch.tensor([0.4, 0.3]), torch.tensor([[4.0, 4.0], [4.0, 5.0]]), 1.0)


def check_inputs_that_have_nothing_in_common(learner: Any) -> None:
    """A diagonal H: no weight can make up for another."""
    compare(learner, torch.tensor([0.4, -1.3, 2.2]), torch.diag(torch.tensor([1.0, 2.0, 3.0])), 0.5)


def check_eight_weights(learner: Any) -> None:
    """Eight weights, inputs that are alike."""
    for seed in range(4):  # a wrong matrix can lead to the right points by chance
        generator = torch.Generator().manual_seed(seed)
        inputs = torch.randn(30, 8, generator=generator) @ torch.randn(8, 8, generator=generator)
        compare(learner, torch.randn(8, generator=generator), inputs.T @ inputs, 0.2)
