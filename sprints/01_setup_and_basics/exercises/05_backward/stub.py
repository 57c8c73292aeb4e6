"""The way back.

Write the second half of the engine. `Value` is given: a number with its sources and its local derivatives, as in
exercise 01.4. Then look how far you are, as often as you like:

    uv run sprints check 01.5
    uv run sprints hint 01.5

Theory: note 7 of this sprint.
"""


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
    raise NotImplementedError


def backward(output: Value) -> None:
    """Set `grad` of the output and of everything it was computed from: the derivative of the output by it.

    Before the call, `grad` is 0 everywhere.
    """
    raise NotImplementedError
