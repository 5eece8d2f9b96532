"""The checks of the exercises on layers refuse wrong answers and take right ones."""

from itertools import pairwise

import torch
from answers import answer_tests

from tools.network import Layer


def leaky(*, below=0.1, slope=0.1, first=False, parameters=()):
    """A solution, or one with a mistake."""

    class LeakyReLU(Layer):
        def forward(self, x):
            if not (first and hasattr(self, "x")):
                self.x = x
            return torch.where(x > 0, x, below * x)

        def backward(self, grad_output):
            return torch.where(self.x > 0, 1.0, slope) * grad_output

        def parameters(self):
            return list(parameters)

    return LeakyReLU


def count(*, biases=lambda n, k: k, last=True):
    def answer(n, hidden, k):
        pairs = pairwise([n, *hidden, *([k] if last else [])])
        return sum(n * k + biases(n, k) for n, k in pairs)

    return answer


RIGHT = {"check_leaky_relu": [leaky()], "check_parameter_count": [count()]}
WRONG = {
    "check_leaky_relu": [
        leaky(below=0.0),
        leaky(slope=0.0),
        leaky(slope=-0.1),
        leaky(first=True),  # backward belongs to the first forward
        leaky(parameters=[torch.zeros(1)]),
    ],
    "check_parameter_count": [
        count(biases=lambda n, k: 0),
        count(biases=lambda n, k: n),
        count(last=False),
        lambda n, hidden, k: sum(hidden),
    ],
}


test_wrong_answers_are_refused, test_right_answers_are_taken = answer_tests(WRONG, RIGHT)
