"""Sources first, then the same list backwards: a Value passes on its gradient when all of it has arrived."""


class Value:
    """A number, and for each number that it was computed from a pair: the source, and the local derivative by it."""

    def __init__(self, data: float, sources: "tuple[tuple[Value, float], ...]" = ()) -> None:
        self.data = data
        self.sources = sources
        self.grad = 0.0

    def __add__(self, other: "Value") -> "Value":
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: "Value") -> "Value":
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))


def in_order(output: Value) -> list[Value]:
    """Return all Values that an output was computed from, and the output: each once, and each after its sources."""
    order: list[Value] = []
    done: set[int] = set()

    def visit(value: Value) -> None:
        if id(value) in done:
            return
        done.add(id(value))
        for source, _ in value.sources:
            visit(source)
        order.append(value)

    visit(output)
    return order


def backward(output: Value) -> None:
    """Set `grad` of the output and of everything it was computed from: the derivative of the output by it."""
    output.grad = 1.0
    for value in reversed(in_order(output)):
        for source, local in value.sources:
            source.grad += local * value.grad
