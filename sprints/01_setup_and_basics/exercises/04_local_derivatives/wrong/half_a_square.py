"""The 2 of the square's derivative is missing."""

import math


class Value:
    def __init__(self, data, sources=()):
        self.data, self.sources, self.grad = data, sources, 0.0

    def __add__(self, other):
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __sub__(self, other):
        return Value(self.data - other.data, ((self, 1.0), (other, -1.0)))

    def __mul__(self, other):
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def square(self):
        return Value(self.data**2, ((self, self.data),))

    def tanh(self):
        return Value(math.tanh(self.data), ((self, 1 - math.tanh(self.data) ** 2),))
