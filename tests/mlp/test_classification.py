"""The classification notebook's checks refuse wrong answers and take right ones."""

import math

import pytest
import torch
from books import run_cells
from torch import nn
from torch.nn.functional import softplus

NAME = "content/mlp/mlp-for-classification.ipynb"


@pytest.fixture(scope="module")
def check():
    """What the cells define that the checkers need, and the checkers."""
    with run_cells(NAME, "imports", "learn", "exercise-checks") as found:
        yield found


def loss(z, y):
    return (y * softplus(-z) + (1 - y) * softplus(z)).mean()


def gradient(z, y):
    return (torch.sigmoid(z) - y) / len(z)


def logarithms(z, y, lowest=0.0):
    p, q = torch.sigmoid(z).clamp(min=lowest), (1 - torch.sigmoid(z)).clamp(min=lowest)
    return -(y * p.log() + (1 - y) * q.log()).mean()


WRONG = {
    "check_ignorance": [
        math.log2,
        math.log10,
        lambda k: k,
        lambda k: 1 / k,
        lambda k: 1.0986,
        lambda k: -math.log(k),
        lambda k: -math.log(1 - 1 / k),
        lambda k: math.log(k - 1 + 1e-9),
    ],
    "check_smoothing": [
        lambda Y, a: Y,
        lambda Y, a: 0.9 * Y + 0.1 / Y.shape[1],
        lambda Y, a: (1 - a) * Y + a / 3,
        lambda Y, a: (1 - a) * Y + a / len(Y),
        lambda Y, a: (1 - a) * Y + a / (Y.shape[1] - 1),
        lambda Y, a: (1 - a) * Y + a * (1 - Y) / (Y.shape[1] - 1),
        lambda Y, a: ((1 - a) * Y + a / Y.shape[1])[:1],
        lambda Y, a: torch.full_like(Y, 1 / Y.shape[1]),
        lambda Y, a: Y.mul_(1 - a).add_(a / Y.shape[1]),
    ],
    "check_binary": [
        lambda z, y: (logarithms(z, y), gradient(z, y)),
        lambda z, y: (logarithms(z, y, 1e-12), gradient(z, y)),
        lambda z, y: (len(z) * loss(z, y), len(z) * gradient(z, y)),
        lambda z, y: (loss(z, y), len(z) * gradient(z, y)),
        lambda z, y: (loss(z, y), len(z) * gradient(z, y) / 8),
        lambda z, y: (loss(z, y), -gradient(z, y)),
        lambda z, y: (loss(z, y), (z - y) / len(z)),
        lambda z, y: (loss(z, y), gradient(z, y)[:, 0]),
        lambda z, y: (loss(z, y), gradient(z, y).mean()),
        lambda z, y: (loss(z, 1 - y), gradient(z, 1 - y)),
    ],
}
RIGHT = {
    "check_ignorance": [
        math.log,
        lambda k: -math.log(1 / k),
        lambda k: torch.tensor(float(k), dtype=torch.float32).log(),
    ],
    "check_smoothing": [
        lambda Y, a: (1 - a) * Y + a / Y.shape[1],
        lambda Y, a: torch.lerp(Y, torch.full_like(Y, 1 / Y.shape[1]), a),
    ],
    "check_binary": [
        lambda z, y: (loss(z, y), gradient(z, y)),
        lambda z, y: ((softplus(z) - y * z).mean().item(), (1 / (1 + (-z).exp()) - y) / z.numel()),
        lambda z, y: (nn.BCEWithLogitsLoss()(z, y), gradient(z, y)),
    ],
}


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in WRONG for a in WRONG[n]])
def test_wrong_answers_are_refused(check, name, answer):
    with pytest.raises(AssertionError):
        check[name](answer)


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])
def test_right_answers_are_taken(check, name, answer):
    check[name](answer)
