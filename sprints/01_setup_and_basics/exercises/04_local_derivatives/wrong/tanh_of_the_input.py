"""The derivative of tanh is written with the input."""

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
        return Value(self.data**2, ((self, 2 * self.data),))

    def tanh(self):
        return Value(math.tanh(self.data), ((self, 1 - self.data**2),))
