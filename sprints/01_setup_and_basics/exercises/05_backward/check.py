"""Checks of `in_order` and `backward`: on graphs drawn in note 7, and beside PyTorch's gradients."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


class Value:
    """A Value as in the exercise, with a name, so that a check can say which one it means."""

    def __init__(self, data: float, sources: "tuple[tuple[Value, float], ...]" = (), name: str = "") -> None:
        self.data, self.sources, self.name, self.grad = data, sources, name, 0.0

    def __add__(self, other: "Value") -> "Value":
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: "Value") -> "Value":
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))


def overwriting(output: Value, order: list[Value]) -> None:
    """Keep the last gradient that arrives instead of the sum."""
    output.grad = 1.0
    for value in reversed(order):
        for source, local in value.sources:
            source.grad = local * value.grad


def at_every_visit(value: Value) -> None:
    """Pass the gradient on at each visit: what has arrived before is passed on again."""
    for source, local in value.sources:
        source.grad += local * value.grad
        at_every_visit(source)


def without_local(output: Value, order: list[Value]) -> None:
    """Pass the gradient on as it is."""
    output.grad = 1.0
    for value in reversed(order):
        for source, _ in value.sources:
            source.grad += value.grad


def ordered(output: Value) -> list[Value]:
    """Return sources before results."""
    order: list[Value] = []

    def visit(value: Value) -> None:
        if value not in order:
            for source, _ in value.sources:
                visit(source)
            order.append(value)

    visit(output)
    return order


def compare(learner: Any, function: Callable[..., Any], given: dict[str, float]) -> None:
    tensors = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in given.values()]
    expected = torch.stack(torch.autograd.grad(function(*tensors), tensors))

    def gradients_by(walk: Callable[[Value], None]) -> Callable[..., Tensor]:
        def gradients(*numbers: float) -> Tensor:
            leaves = [Value(number) for number in numbers]
            walk(function(*leaves))
            return torch.tensor([leaf.grad for leaf in leaves], dtype=torch.float64)

        return gradients

    def recursive(output: Value) -> None:
        output.grad = 1.0
        at_every_visit(output)

    def forwards(output: Value) -> None:
        output.grad = 1.0
        for value in ordered(output):
            for source, local in value.sources:
                source.grad += local * value.grad

    wrong_ways: dict[str, Callable[[Value], None]] = {
        "Nothing has flowed back: the gradient of the output by itself is 1, so begin with output.grad = 1.0.": (
            lambda _: None
        ),
        "A number that is used several times gets the sum of what its uses send: use += instead of =.": (
            lambda output: overwriting(output, ordered(output))
        ),
        "A value passes on what it has before all its uses have sent their share, and later passes it on again.": (
            recursive
        ),
        "The order is that of the way forwards. Go from the output to the leaves.": forwards,
        "The local derivatives are not used: what is sent to a source is local * gradient.": (
            lambda output: without_local(output, ordered(output))
        ),
    }
    mistakes = {sentence: gradients_by(walk)(*given.values()) for sentence, walk in wrong_ways.items()}
    expect(gradients_by(learner.backward), given, expected, mistakes)


def listed(order: list[Value], right: list[Value]) -> str:
    """Return the names in a list of Values, and what is wrong with their order; any right order counts as ours."""
    numbers = [id(value) for value in order]
    names = ", ".join(value.name for value in order)
    for value in order:
        if numbers.count(id(value)) > 1:
            return f"{names}: {value.name} stands there several times; remember what you have visited"
        if any(id(source) in numbers[numbers.index(id(value)) :] for source, _ in value.sources):
            return f"{names}: {value.name} stands before what it was computed from; append it after its sources"
    missing = [value.name for value in right if id(value) not in numbers]
    return f"{names}: {missing[0]} is missing" if missing else ", ".join(value.name for value in right)


def compare_order(learner: Any, expression: str, values: list[Value], names: list[str]) -> None:
    for value, name in zip(values, names, strict=True):
        value.name = name
    expect(lambda _: listed(learner.in_order(values[-1]), values), {"expression": expression}, ", ".join(names))


def check_order(learner: Any) -> None:
    """The order of w x + b: every value once, and after its sources."""
    w, x, b = Value(3.0), Value(2.0), Value(1.0)
    product = w * x
    compare_order(learner, "(w x) + b", [w, x, product, b, product + b], ["w", "x", "w x", "b", "w x + b"])


def check_order_of_shared_values(learner: Any) -> None:
    """The order of a a + a with a = x + x: what is used several times stands once."""
    x = Value(3.0)
    a = x + x
    square = a * a
    compare_order(learner, "(a a) + a, where a = x + x", [x, a, square, square + a], ["x", "a", "a a", "a a + a"])


def check_line(learner: Any) -> None:
    """The gradients of w x + b."""
    compare(learner, lambda w, x, b: w * x + b, {"w": 3.0, "x": 2.0, "b": 1.0})


def check_three_uses(learner: Any) -> None:
    """The gradient of x x + x: three uses of one number."""
    compare(learner, lambda x: x * x + x, {"x": 3.0})


def check_shared_result(learner: Any) -> None:
    """The gradient of a a + a with a = x + x: a result is used several times."""

    def function(x: Any) -> Any:
        a = x + x
        return a * a + a

    compare(learner, function, {"x": 3.0})


def check_network(learner: Any) -> None:
    """A small network: two products of two products."""

    def function(x: Any, v: Any, w: Any) -> Any:
        first, second = x * v, x * w
        return first * second + first

    compare(learner, function, {"x": 2.0, "v": -1.0, "w": 0.5})
