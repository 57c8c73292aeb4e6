"""How does autograd work? An engine for numbers, whose gradients, and gradients of gradients, equal PyTorch's.

    uv run sprints/01_setup_and_basics/scalar_autograd.py

`Value` records how it was computed; `gradients` walks the record backwards. The same functions run on Values and on
tensors and are compared; the record of one neuron is drawn. Theory: notes/08_autograd.md
"""

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import torch
from matplotlib.figure import Figure

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from tensor_study.graph_drawing import Node, draw_graph, lay_out


class Value:
    """A number that knows the values it was computed from.

    Args:
        data: the number.
        name: of a leaf its name, otherwise the sign of the operation.
        sources: the values that it was computed from.
        pullback: takes the derivative of some output by this value and returns the output's derivatives by the sources.
            It computes with Values, so that derivatives can be differentiated again.
    """

    def __init__(
        self,
        data: float,
        name: str = "",
        sources: "tuple[Value, ...]" = (),
        pullback: "Callable[[Value], tuple[Value, ...]] | None" = None,
    ) -> None:
        self.data, self.name, self.sources, self.pullback = float(data), name, sources, pullback
        self.grad = 0.0

    def __add__(self, other: "Value | float") -> "Value":
        other = as_value(other)
        return Value(self.data + other.data, "+", (self, other), lambda g: (g, g))

    def __sub__(self, other: "Value | float") -> "Value":
        other = as_value(other)
        return Value(self.data - other.data, "−", (self, other), lambda g: (g, g * -1.0))

    def __mul__(self, other: "Value | float") -> "Value":
        other = as_value(other)
        return Value(self.data * other.data, "×", (self, other), lambda g: (g * other, g * self))

    def __truediv__(self, other: "Value | float") -> "Value":
        return self * as_value(other) ** -1.0

    def __pow__(self, power: float) -> "Value":
        if self.data < 0 and power != int(power):
            raise ValueError(f"a negative number has whole powers only; got ({self.data}) ** {power}")
        return Value(
            self.data**power,
            f"^{power:g}",
            (self,),
            # The derivative of x^0 is 0, at x = 0 too, where x^-1 does not exist.
            lambda g: (g * power * self ** (power - 1),) if power else (g * 0.0,),
        )

    def __neg__(self) -> "Value":
        return self * -1.0

    def exp(self) -> "Value":
        out = Value(math.exp(self.data), "exp", (self,), lambda g: (g * out,))
        return out

    def log(self) -> "Value":
        return Value(math.log(self.data), "log", (self,), lambda g: (g / self,))

    def tanh(self) -> "Value":
        out = Value(math.tanh(self.data), "tanh", (self,), lambda g: (g * (out * out * -1.0 + 1.0),))
        return out

    def relu(self) -> "Value":
        return Value(max(self.data, 0.0), "relu", (self,), lambda g: (g * float(self.data > 0),))

    __radd__, __rmul__ = __add__, __mul__

    def backward(self) -> None:
        """Add the derivative of this value by each leaf to the leaf's `grad`, as PyTorch does."""
        leaves = [node for node in in_order(self) if not node.sources]
        for leaf, gradient in zip(leaves, gradients(self, leaves), strict=True):
            leaf.grad += gradient.data


def as_value(number: Value | float) -> Value:
    return number if isinstance(number, Value) else Value(number, f"{number:g}")


def in_order(output: Value) -> list[Value]:
    """Return all values that an output was computed from, each after its sources, without recursion."""
    order, done, waiting = [], set(), [output]
    while waiting:
        missing = [source for source in waiting[-1].sources if id(source) not in done]
        if missing:
            waiting += reversed(missing)
        elif id(node := waiting.pop()) not in done:
            done.add(id(node))
            order.append(node)
    return order


def gradients(output: Value, wrt: Sequence[Value]) -> list[Value]:
    """Return the derivatives of an output by values: the sum over all paths of the products of local derivatives."""
    by_node = {id(output): Value(1.0, "1")}
    for node in reversed(in_order(output)):
        if node.pullback:
            for source, gradient in zip(node.sources, node.pullback(by_node[id(node)]), strict=True):
                by_node[id(source)] = by_node[id(source)] + gradient if id(source) in by_node else gradient
    return [by_node.get(id(value), Value(0.0, "0")) for value in wrt]


@dataclass(frozen=True)
class Config(ScriptConfig):
    points: PositiveInt = 100  # random points at which each function is differentiated


@dataclass(frozen=True)
class Errors:
    """Largest errors against PyTorch, relative to the length of the gradient."""

    gradient: float
    gradient_of_gradient: float
    finite_difference: float


@dataclass(frozen=True)
class Results:
    errors: dict[str, Errors]
    graph: list[Node]


def neuron(x1: Any, x2: Any, w1: Any, w2: Any, bias: Any, target: Any) -> Any:
    """Return the squared error of a neuron with two inputs."""
    return ((x1 * w1 + x2 * w2 + bias).tanh() - target) ** 2


def deep(a: Any, b: Any) -> Any:
    """Return the result of twenty steps that use both inputs again and again."""
    for _ in range(20):
        a = a + b.tanh() * 0.3
        b = b - a.tanh() * 0.3
    return a * b


# The same functions run on Values and on tensors.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "neuron": neuron,
    "cross-entropy": lambda a, b, c: (a.exp() + b.exp() + c.exp()).log() - b,
    "rational": lambda a, b: (a**3 - b) / (a * a + b * b + 1.0),
    "relu network": lambda a, b, c: ((a * b).relu() * 2.0 + (c - a).relu() * b) * c,
    "deep": deep,
}


def compare(function: Callable[..., Any], point: Sequence[float]) -> Errors:
    """Return errors of our gradient, of the gradient of its squared length, and of central differences."""
    ours = [Value(x) for x in point]
    theirs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in point]
    our_first = gradients(function(*ours), ours)
    their_first = torch.autograd.grad(function(*theirs), theirs, create_graph=True)
    our_second = gradients(sum((g * g for g in our_first), start=Value(0.0)), ours)
    their_second = torch.autograd.grad(torch.stack(their_first).square().sum(), theirs, materialize_grads=True)

    def moved(axis: int, step: float) -> float:
        return function(*(Value(x + step * (index == axis)) for index, x in enumerate(point))).data

    finite = [(moved(axis, 1e-6) - moved(axis, -1e-6)) / 2e-6 for axis in range(len(point))]
    first, second = ([g.item() for g in theirs] for theirs in (their_first, their_second))
    return Errors(
        gradient=relative_error([g.data for g in our_first], first),
        gradient_of_gradient=relative_error([g.data for g in our_second], second),
        finite_difference=relative_error(finite, first),
    )


def relative_error(estimate: Sequence[float], true: Sequence[float]) -> float:
    """Return the distance over the length of the truth; of a gradient that is zero, the distance."""
    return math.dist(estimate, true) / (math.hypot(*true) or 1.0)


def draw_record(output: Value) -> list[Node]:
    """Return the record of an output as a graph: each node with its value and the derivative of the output by it."""
    order = in_order(output)
    number = {id(node): index for index, node in enumerate(order)}
    texts = [
        f"{node.name}\n{node.data:.3f}\ngrad {gradient.data:.3f}"
        for node, gradient in zip(order, gradients(output, order), strict=True)
    ]
    return lay_out(texts, [[number[id(source)] for source in node.sources] for node in order])


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    errors = {}
    for name, function in FUNCTIONS.items():
        inputs = len(inspect.signature(function).parameters)
        points = torch.randn(config.points, inputs, generator=generator, dtype=torch.float64).tolist()
        compared = [compare(function, point) for point in points]
        errors[name] = Errors(*(max(column) for column in zip(*map(astuple, compared), strict=True)))
        print(f"{name:<14} gradient off by {errors[name].gradient:.0e}, ", end="")
        print(f"gradient of gradient by {errors[name].gradient_of_gradient:.0e}, ", end="")
        print(f"finite differences by {errors[name].finite_difference:.0e}")
    leaves = {"x1": 2.0, "x2": -1.0, "w1": 0.5, "w2": -0.3, "bias": -0.8, "target": 1.0}
    graph = draw_record(neuron(*(Value(data, name) for name, data in leaves.items())))
    print("\nthe graph of a neuron:")
    for node in graph:
        print("  " + "".join(f"{part:<12}" for part in node.text.split("\n")))
    return Results(errors, graph)


def plot(results: Results) -> Figure:
    """Draw the record of a neuron."""
    return draw_graph(results.graph)


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"graph.*": EXACT})
