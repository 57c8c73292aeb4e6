"""Checks of `integer_linear`: beside the same layer in floating point, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def mistakes(q_x: Tensor, scale: float, zero_point: int, q_w: Tensor, scales: Tensor) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    x, w = q_x.double(), q_w.double()
    products = x @ w.T
    right = products - zero_point * w.sum(1)
    wrapped = (q_x.to(torch.int8) @ q_w.T).double()
    found = {
        "The correction is missing: the inputs are shifted by the zero point.": products * scale * scales,
        "The correction has the wrong sign.": (products + zero_point * w.sum(1)) * scale * scales,
        "The zero point is subtracted once. It must be subtracted with the sum of the row's integers.": (
            (products - zero_point) * scale * scales
        ),
        "The correction is the sum of the inputs' integers. It must be the sum of the weights' of each output.": (
            (products - zero_point * x.sum(1, keepdim=True)) * scale * scales
        ),
        "The scale of the inputs is missing.": right * scales,
        "The scales of the outputs are missing.": right * scale,
        "Integers overflow: eight bits hold no product of two of them. Use torch.int32 before you multiply.": (
            (wrapped - zero_point * w.sum(1)) * scale * scales
        ),
        "Integers overflow: the sum of a row is taken in eight bits.": (
            (products - (zero_point * q_w.sum(1, dtype=torch.int8).double())) * scale * scales
        ),
    }
    return {sentence: wrong.float() for sentence, wrong in found.items()}


def compare(learner: Any, inputs: list[list[int]], zero_point: int, weights: list[list[int]]) -> None:
    q_x, q_w = torch.tensor(inputs, dtype=torch.uint8), torch.tensor(weights, dtype=torch.int8)
    scale, scales = 0.01, 0.02 * torch.arange(1, len(weights) + 1).float()
    x, w = (q_x.double() - zero_point) * scale, q_w.double() * scales.double()[:, None]
    expected = functional.linear(x, w).float()
    given = {"q_x": q_x, "scale": scale, "zero_point": zero_point, "q_w": q_w, "scales": scales}
    expect(learner.integer_linear, given, expected, mistakes(q_x, scale, zero_point, q_w, scales))


def check_the_numbers_of_the_note(learner: Any) -> None:
    """One token and one output, with the integers that note 6 works out."""
    compare(learner, [[109, 0, 255]], 36, [[28, -71, 127]])


def check_two_tokens(learner: Any) -> None:
    """Two tokens, three outputs with scales of their own."""
    compare(learner, [[3, 0, 5, 9], [1, 7, 2, 4]], 2, [[1, -2, 3, 0], [5, 1, 1, -1], [-3, 2, 4, 6]])


def check_large_integers(learner: Any) -> None:
    """Integers at the ends of their ranges: no sum may overflow."""
    compare(learner, [[255, 255, 255], [255, 0, 255]], 128, [[127, 127, 127], [-128, 127, -128]])


def check_a_zero_point_of_zero(learner: Any) -> None:
    """Inputs that are not shifted."""
    compare(learner, [[10, 20]], 0, [[4, -3], [2, 2]])
