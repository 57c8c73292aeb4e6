"""Results are right, and nothing is remembered."""

import math


class Value:
    def __init__(self, data, sources=()):
        self.data, self.sources, self.grad = data, sources, 0.0

    def __add__(self, other):
        return Value(self.data + other.data, ())

    def __sub__(self, other):
        return Value(self.data - other.data, ())

    def __mul__(self, other):
        return Value(self.data * other.data, ())

    def square(self):
        return Value(self.data**2, ())

    def tanh(self):
        return Value(math.tanh(self.data), ())
