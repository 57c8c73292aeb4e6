"""Checks of `merge`: both kinds of factors, both layouts, and the bias."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def draw(*shape: int, seed: int) -> Tensor:
    """Return small numbers of one decimal."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).mul(10).round().div(10)


def compare(learner: Any, weight: Tensor, bias: Tensor, factors: Tensor, of_inputs: bool, transposed: bool) -> None:
    """Compare weight and bias; `weight` is (out, in) here and is turned for the learner."""
    right = weight * factors if of_inputs else weight * factors[:, None]
    square = weight.shape[0] == weight.shape[1]

    def stored(matrix: Tensor) -> Tensor:
        return matrix.mT.contiguous() if transposed else matrix

    given = {
        "weight": stored(weight), "bias": bias, "factors": factors, "of_inputs": of_inputs, "transposed": transposed,
    }  # fmt: skip
    mistakes = {"The weight is left as it was.": stored(weight)}
    if square:
        exchanged = weight * factors[:, None] if of_inputs else weight * factors
        what = "Rows and columns are exchanged: whose are the factors, and which axis of the stored weight is that?"
        mistakes[what] = stored(exchanged)
    expect(lambda *values: learner.merge(*values)[0], given, stored(right), mistakes)
    mistakes = {"The bias is forgotten: l * (W x + b) multiplies b as well.": bias}
    if square and of_inputs:
        mistakes = {"Factors of inputs do not reach the bias: W (l * x) + b.": bias * factors}
    expect(lambda *values: learner.merge(*values)[1], given, bias if of_inputs else bias * factors, mistakes)


def check_the_example_of_the_note(learner: Any) -> None:
    """The rows become (2, 4) and (0, 0.5), the bias (2, 1)."""
    weight, bias = torch.tensor([[1.0, 2], [0, 1]]), torch.tensor([1.0, 2])
    compare(learner, weight, bias, torch.tensor([2.0, 0.5]), of_inputs=False, transposed=False)


def check_factors_of_inputs(learner: Any) -> None:
    """The same layer with factors of its inputs."""
    weight, bias = torch.tensor([[1.0, 2], [3, 1]]), torch.tensor([1.0, 2])
    compare(learner, weight, bias, torch.tensor([2.0, 0.5]), of_inputs=True, transposed=False)


def check_another_shape(learner: Any) -> None:
    """Two inputs and three outputs: factors of outputs, then of inputs."""
    weight, bias = draw(3, 2, seed=0) + 3, draw(3, seed=1) + 2
    compare(learner, weight, bias, draw(3, seed=2) + 3, of_inputs=False, transposed=False)
    compare(learner, weight, bias, draw(2, seed=3) + 3, of_inputs=True, transposed=False)


def check_conv1d(learner: Any) -> None:
    """The layout of Conv1D, square, where no shape gives a mistake away: both kinds of factors."""
    weight, bias = draw(3, 3, seed=4) + 3, draw(3, seed=5) + 2
    compare(learner, weight, bias, draw(3, seed=6) + 3, of_inputs=False, transposed=True)
    compare(learner, weight, bias, draw(3, seed=7) + 3, of_inputs=True, transposed=True)
