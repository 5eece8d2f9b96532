"""What the notebooks on training build, for the notebooks that follow.

Generated from the notebooks' cells tagged `export`. Do not edit: change the notebook, then run
`make export`.
"""

import torch
from itertools import count

__all__ = [
    "Operations",
    "numbers",
    "Value",
    "history",
    "backward",
]


# From content/training/automatic-differentiation.ipynb, cell "operations"
class Operations:
    def __sub__(self, other):
        return Value(self.data - other.data, (self, lambda g: g), (other, lambda g: -g))

    def __truediv__(self, divisor):
        return Value(self.data / divisor, (self, lambda g: g / divisor))

    def exp(self):
        e = self.data.exp()
        return Value(e, (self, lambda g: g * e))

    def log(self):
        return Value(self.data.log(), (self, lambda g: g / self.data))

    def relu(self):
        return Value(self.data.relu(), (self, lambda g: g * (self.data > 0)))


# From content/training/automatic-differentiation.ipynb, cell "value"
numbers = count()


class Value(Operations):
    def __init__(self, data, *parents):
        self.data = torch.as_tensor(data)
        self.parents = parents  # pairs: a value, and the way back to it
        self.number = next(numbers)

    def __add__(self, other):
        return Value(self.data + other.data,
                     (self, lambda g: g), (other, lambda g: g))

    def __mul__(self, other):
        return Value(self.data * other.data,
                     (self, lambda g: g * other.data),
                     (other, lambda g: g * self.data))

    def __matmul__(self, other):
        return Value(self.data @ other.data,
                     (self, lambda g: g @ other.data.T),
                     (other, lambda g: self.data.T @ g))

    def sum(self):
        return Value(self.data.sum(),
                     (self, lambda g: g.expand_as(self.data)))

    def tanh(self):
        a = self.data.tanh()
        return Value(a, (self, lambda g: g * (1 - a * a)))


# From content/training/automatic-differentiation.ipynb, cell "backward"
def history(value):
    found, todo = set(), [value]
    while todo:
        value = todo.pop()
        if value not in found:
            found.add(value)
            todo += [parent for parent, _ in value.parents]
    return sorted(found, key=lambda value: -value.number)


def backward(loss):
    values = history(loss)  # the youngest first
    for value in values:
        value.grad = torch.zeros_like(value.data)
    loss.grad = torch.ones_like(loss.data)
    for value in values:
        for parent, way_back in value.parents:
            share = way_back(value.grad)
            parent.grad = parent.grad + share.sum_to_size(parent.grad.shape)
