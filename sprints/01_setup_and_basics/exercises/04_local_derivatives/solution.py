"""Each operation computes its result, and knows the derivative of it by each source."""

import math


class Value:
    """A number, and for each number that it was computed from a pair: the source, and the local derivative by it."""

    def __init__(self, data: float, sources: "tuple[tuple[Value, float], ...]" = ()) -> None:
        self.data = data
        self.sources = sources
        self.grad = 0.0

    def __add__(self, other: "Value") -> "Value":
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __sub__(self, other: "Value") -> "Value":
        return Value(self.data - other.data, ((self, 1.0), (other, -1.0)))

    def __mul__(self, other: "Value") -> "Value":
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def square(self) -> "Value":
        return Value(self.data**2, ((self, 2 * self.data),))

    def tanh(self) -> "Value":
        result = math.tanh(self.data)
        return Value(result, ((self, 1 - result**2),))
