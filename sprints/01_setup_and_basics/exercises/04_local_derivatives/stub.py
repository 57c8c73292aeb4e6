"""A number that remembers.

Write the first half of an autograd engine: numbers that remember what they were computed from, and how strongly each
source moves them. Then look how far you are, as often as you like:

    uv run sprints check 01.4
    uv run sprints hint 01.4

Theory: note 7 of this sprint.
"""


class Value:
    """A number, and for each number that it was computed from a pair: the source, and the local derivative by it.

    Example: Value(3.0) * Value(2.0) is a Value whose data is 6.0 and whose sources are
    ((the first Value, 2.0), (the second Value, 3.0)).
    """

    def __init__(self, data: float, sources: "tuple[tuple[Value, float], ...]" = ()) -> None:
        self.data = data
        self.sources = sources
        self.grad = 0.0  # filled in by the second half, exercise 01.5

    def __add__(self, other: "Value") -> "Value":
        raise NotImplementedError

    def __sub__(self, other: "Value") -> "Value":
        raise NotImplementedError

    def __mul__(self, other: "Value") -> "Value":
        raise NotImplementedError

    def square(self) -> "Value":
        raise NotImplementedError

    def tanh(self) -> "Value":
        """Return the hyperbolic tangent; Python has `math.tanh`, and its derivative is 1 - tanh²."""
        raise NotImplementedError
