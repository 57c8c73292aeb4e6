"""Checks of `best_step` and `best_weights`: beside a search over steps, and the usual mistakes by name."""

import itertools
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def error_of(weight: Tensor, hessian: Tensor, rounded: Tensor) -> float:
    difference = weight - rounded
    return (difference @ hessian @ difference).item()


def reference_step(weight: Tensor, hessian: Tensor, code: Tensor) -> float:
    """Return where the parabola of the error has its lowest point, found from its values at -1, 0 and 1."""
    low, middle, high = (error_of(weight, hessian, step * code) for step in (-1.0, 0.0, 1.0))
    bend = low + high - 2 * middle
    return max(0.0, (low - high) / (2 * bend)) if bend > 0 else 0.0


def all_rows(inputs: int, bits: int) -> Tensor:
    return torch.tensor(list(itertools.product(range(-(2 ** (bits - 1)), 2 ** (bits - 1)), repeat=inputs))).float()


def nearest_with(weight: Tensor, hessian: Tensor, bits: int) -> Tensor:
    """Return the best that rounding to the nearest does, with any of many steps."""
    steps = torch.linspace(0.01, 4.0, 800) * weight.abs().max()
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    rounded = [(weight / step).round().clamp(lowest, highest) * step for step in steps]
    return min(rounded, key=lambda row: error_of(weight, hessian, row))


def check_steps(learner: Any) -> None:
    """The step of single rows of integers."""
    weight, hessian = torch.tensor([0.7, -0.3]), torch.tensor([[5.0, 4.0], [4.0, 5.0]])
    codes = torch.tensor([[1.0, -1], [1, 0], [1, 1], [-1, 0], [0, 0], [-2, 1]])
    expected = torch.tensor([reference_step(weight, hessian, code) for code in codes])
    products = codes @ hessian
    along, square = products @ weight, (products * codes).sum(-1)
    free = torch.where(square > 0, along / square.clamp(min=1e-12), 0.0)
    length = codes.square().sum(-1)
    of_weights = torch.where(length > 0, (codes @ weight).clamp(min=0) / length.clamp(min=1), 0.0)
    mistakes = {
        "Some steps are negative. Where every positive step does harm, the best one is 0.": free,
        "These steps are the best for the weights, not for the outputs: H is missing.": of_weights,
        "c^T H w is not divided by c^T H c.": along.clamp(min=0),
        "Where all integers are 0, c^T H c is 0: 0 / 0 is no number. The step is 0 there.": (along / square).clamp(
            min=0
        ),
    }
    expect(learner.best_step, {"weight": weight, "hessian": hessian, "codes": codes}, expected, mistakes)


def compare(learner: Any, weight: Tensor, hessian: Tensor, bits: int) -> None:
    codes = all_rows(len(weight), bits)
    rows = [reference_step(weight, hessian, code) * code for code in codes]
    expected = min(rows, key=lambda row: error_of(weight, hessian, row))
    identity = torch.eye(len(weight))
    for_weights = [reference_step(weight, identity, code) * code for code in codes]
    products = codes @ hessian
    squared = (products @ weight).square() / (products * codes).sum(-1).clamp(min=1e-12)
    mirrored = codes[squared.argmax()] * (products @ weight)[squared.argmax()]
    mirrored = mirrored / (products * codes).sum(-1)[squared.argmax()].clamp(min=1e-12)
    shorter = [row for row, code in zip(rows, codes, strict=True) if code.min() > -(2 ** (bits - 1))]
    mistakes = {
        "These are weights rounded to the nearest with a good step. Other integers are better: try all.": nearest_with(
            weight, hessian, bits
        ),
        "This is the best for the weights. What counts is the error of the outputs, with H.": min(
            for_weights, key=lambda row: error_of(weight, identity, row)
        ),
        "Its step is negative: (c^T H w)^2 / c^T H c is as large for -c as for c. Let only positive c^T H w count.": (
            mirrored
        ),
        "The least integer, -2^(bits - 1), is left out.": min(shorter, key=lambda row: error_of(weight, hessian, row)),
    }
    expect(learner.best_weights, {"weight": weight, "hessian": hessian, "bits": bits}, expected, mistakes)


def check_two_weights(learner: Any) -> None:
    """The example of note 5."""
    compare(learner, torch.tensor([0.7, -0.3]), torch.tensor([[5.0, 4.0], [4.0, 5.0]]), 2)


def check_the_least_integer(learner: Any) -> None:
    """Two weights for which -2 is needed, and whose mirror image is not to be had."""
    compare(learner, torch.tensor([-1.0, 0.45]), torch.tensor([[2.0, 0.5], [0.5, 2.0]]), 2)
    compare(learner, torch.tensor([1.0, -0.45]), torch.tensor([[2.0, 0.5], [0.5, 2.0]]), 2)


def check_three_weights(learner: Any) -> None:
    """Three weights with inputs that are alike, of 2 and of 3 bits."""
    for seed, bits in ((0, 2), (1, 2), (2, 3)):
        generator = torch.Generator().manual_seed(seed)
        inputs = torch.randn(20, 3, generator=generator) @ torch.randn(3, 3, generator=generator)
        compare(learner, torch.randn(3, generator=generator), inputs.T @ inputs / 20, bits)
