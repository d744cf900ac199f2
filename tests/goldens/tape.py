"""Numbers that know what they were made of: automatic differentiation in plain Python."""

import math


class Number:
    """A number on a tape: its value, and what it was made of with its derivatives."""

    tape = []

    def __init__(self, value, parents=()):
        self.value, self.parents, self.slope = float(value), parents, 0.0
        Number.tape.append(self)

    def __add__(self, other):
        other = number(other)
        return Number(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = number(other)
        return Number(self.value * other.value, ((self, other.value), (other, self.value)))

    def __truediv__(self, other):
        other = number(other)
        quotient = self.value / other.value
        return Number(quotient, ((self, 1 / other.value), (other, -quotient / other.value)))

    def __neg__(self):
        return Number(-self.value, ((self, -1.0),))

    def __sub__(self, other):
        return self + -number(other)

    def __rsub__(self, other):
        return number(other) + -self

    def __rtruediv__(self, other):
        return number(other) / self

    __radd__, __rmul__ = __add__, __mul__


def number(x):
    return x if isinstance(x, Number) else Number(x)


def of(x, value, slope):
    return Number(value, ((x, slope),))


def exp(x):
    return of(x, math.exp(x.value), math.exp(x.value))


def log(x):
    return of(x, math.log(x.value), 1 / x.value)


def sqrt(x):
    root = math.sqrt(x.value)
    return of(x, root, 0.5 / root if root > 0 else 0.0)


def relu(x):
    return of(x, max(x.value, 0.0), float(x.value > 0))


def absolute(x):
    return of(x, abs(x.value), float(x.value > 0) - float(x.value < 0))


def sigmoid(x):
    value = 1 / (1 + math.exp(-x.value)) if x.value > 0 else math.exp(x.value) / (1 + math.exp(x.value))
    return of(x, value, value * (1 - value))


def softplus(x):
    value = max(x.value, 0.0) + math.log1p(math.exp(-abs(x.value)))
    return of(x, value, sigmoid(x).value)


def clamp(x, low, high):
    return of(x, min(max(x.value, low), high), float(low < x.value < high))


def log_sum_exp(all):
    top = max(x.value for x in all)
    return log(sum(exp(x - top) for x in all)) + top


def detached(x):
    return Number(x.value)


def least(all):
    return min(all, key=lambda x: x.value)


def most(all):
    return max(all, key=lambda x: x.value)


def slopes(result, leaves):
    for one in Number.tape:
        one.slope = 0.0
    result.slope = 1.0
    for one in reversed(Number.tape):
        if one.slope:
            for parent, slope in one.parents:
                parent.slope += one.slope * slope
    return [leaf.slope for leaf in leaves]
