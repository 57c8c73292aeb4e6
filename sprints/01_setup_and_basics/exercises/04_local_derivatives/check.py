"""Checks of the operations of `Value`: results and local derivatives, beside PyTorch's."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def compare(
    learner: Any, operation: Callable[..., Any], given: dict[str, float], mistakes: dict[str, list[float]]
) -> None:
    """Compare a list: the result, then the local derivative by each source."""
    numbers = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in given.values()]
    result = operation(*numbers)
    expected = torch.stack([result.detach(), *torch.autograd.grad(result, numbers)])

    def result_and_local_derivatives(*numbers: float) -> Tensor:
        sources = [learner.Value(number) for number in numbers]
        made = operation(*sources)
        by_source = {id(source): local for source, local in made.sources}
        derivatives = [by_source[id(source)] for source in sources if id(source) in by_source]
        return torch.tensor([made.data, *derivatives], dtype=torch.float64)

    named = {sentence: torch.tensor(numbers, dtype=torch.float64) for sentence, numbers in mistakes.items()}
    expect(result_and_local_derivatives, given, expected, named)


NO_SOURCES = "The result is right, but it has forgotten its sources."


def check_add(learner: Any) -> None:
    """3 + 2: the result, and the derivative by each of the two."""
    compare(learner, lambda a, b: a + b, {"a": 3.0, "b": 2.0}, {
        NO_SOURCES: [5.0],
        "The local derivatives are those of a product. If one term rises by 1, so does the sum.": [5.0, 2.0, 3.0],
        "These are the numbers themselves. If one term rises by 1, the sum rises by 1.": [5.0, 3.0, 2.0],
    })  # fmt: skip


def check_subtract(learner: Any) -> None:
    """3 - 2: the second number pulls the other way."""
    compare(learner, lambda a, b: a - b, {"a": 3.0, "b": 2.0}, {
        NO_SOURCES: [1.0],
        "If b rises by 1, a - b falls by 1: its local derivative is -1.": [1.0, 1.0, 1.0],
        "The signs are exchanged.": [1.0, -1.0, 1.0],
    })  # fmt: skip


def check_multiply(learner: Any) -> None:
    """3 times 2: each factor's derivative is the other factor."""
    compare(learner, lambda a, b: a * b, {"a": 3.0, "b": 2.0}, {
        NO_SOURCES: [6.0],
        "The factors are exchanged: if a rises by 1, a b rises by b.": [6.0, 3.0, 2.0],
        "These are the derivatives of a sum. If a rises by 1, a b rises by b.": [6.0, 1.0, 1.0],
        "The local derivatives are the product itself. If a rises by 1, a b rises by b.": [6.0, 6.0, 6.0],
    })  # fmt: skip


def check_square(learner: Any) -> None:
    """The square of 3."""
    compare(learner, lambda a: a.square(), {"a": 3.0}, {
        NO_SOURCES: [9.0],
        "The derivative of a² is 2 a, not 2.": [9.0, 2.0],
        "The derivative of a² is 2 a; the 2 is missing.": [9.0, 3.0],
        "The derivative of a² is 2 a, not 2 a².": [9.0, 18.0],
    })  # fmt: skip


def check_tanh(learner: Any) -> None:
    """The tanh of 0.5."""
    t = math.tanh(0.5)
    compare(learner, lambda a: a.tanh(), {"a": 0.5}, {
        NO_SOURCES: [t],
        "The derivative is 1 - tanh(a)²; yours is 1 - a².": [t, 1 - 0.5**2],
        "The derivative is 1 - tanh(a)²; the square is missing.": [t, 1 - t],
        "The derivative is 1 - tanh(a)²; yours is tanh(a)².": [t, t**2],
        "The derivative is that of nothing at all: 1 - tanh(a)² is smaller than 1.": [t, 1.0],
    })  # fmt: skip
