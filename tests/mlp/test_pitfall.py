"""The pitfall notebook's checks refuse wrong answers and take right ones."""

import math

import pytest
import torch
from books import run_cells
from torch.nn import functional as F

NAME = "content/mlp/softmax-cross-entropy-pitfall.ipynb"


@pytest.fixture(scope="module")
def check():
    """What the cells define that the checkers need, and the checkers."""
    with run_cells(NAME, "imports", "floor", "exercise-checks") as found:
        yield found


def classes(loss):
    return 1 + math.e * (math.exp(loss) - 1)


def sigmoid(eta):
    return math.log(eta / (1 - eta))


def smallest(p):
    return torch.finfo(p.dtype).tiny


def of_right(p, y):
    return p[torch.arange(len(y)), y]


def loss(p, y):
    return -of_right(p, y).clamp(min=smallest(p)).log().mean()


WRONG = {
    "check_classes": [
        classes,
        lambda loss: int(classes(loss)),
        lambda loss: math.ceil(classes(loss)),
        lambda loss: float(round(classes(loss))),
        lambda loss: round(classes(loss)) - 1,
        lambda loss: round(math.exp(loss)),
        lambda loss: round(math.e * math.exp(loss)),
        lambda loss: round(1 + math.e * math.exp(loss)),
        lambda loss: round(1 + (math.exp(loss) - 1) / math.e),
        lambda loss: {0.55: 3, 1.46: 10}.get(round(loss, 2), 100),
    ],
    "check_sigmoid": [
        lambda eta: eta,
        sigmoid,
        lambda eta: max(sigmoid(eta), 0.0),
        lambda eta: min(sigmoid(eta), 1.0),
        lambda eta: float(eta > 0.5),
        lambda eta: 1 / (1 + math.exp(-eta)),
        lambda eta: min(max(0.5 + sigmoid(eta) / 2, 0.0), 1.0),
        lambda eta: min(max(math.log(eta) + 1, 0.0), 1.0),
        lambda eta: min(max(-sigmoid(eta), 0.0), 1.0),
    ],
    "check_repair": [
        F.cross_entropy,
        F.nll_loss,
        lambda p, y: -of_right(p, y).log().mean(),
        lambda p, y: F.nll_loss((p + smallest(p)).log().detach() + p - p.detach(), y),
        lambda p, y: -of_right(p, y).clamp(min=1e-7).log().mean(),
        lambda p, y: -of_right(p, y).clamp(min=1e-20).log().mean(),
        lambda p, y: -(of_right(p, y) + 1e-8).log().mean(),
        lambda p, y: loss(p, y)[None],
        lambda p, y: loss(p, y) * len(y),
        lambda p, y: -of_right(p, y).clamp(min=smallest(p)).log(),
        lambda p, y: -loss(p, y),
        lambda p, y: loss(p, y) / math.log(2),
        lambda p, y: -torch.where(of_right(p, y) > 0, of_right(p, y).log(), -50).mean(),
        lambda p, y: -of_right(p, y).log().clamp(min=-100).mean(),
        lambda p, y: loss(p, y) + (p[:, 0] - p[:, 0].detach()).sum(),
    ],
}
RIGHT = {
    "check_classes": [
        lambda loss: round(classes(loss)),
        lambda loss: int(classes(loss) + 0.5),
        lambda loss: round(1 + math.e * math.expm1(loss)),
    ],
    "check_sigmoid": [
        lambda eta: min(max(sigmoid(eta), 0.0), 1.0),
        lambda eta: torch.logit(torch.tensor(eta)).clamp(0, 1),
        lambda eta: 0.0 if eta <= 0.5 else min(sigmoid(eta), 1.0),
    ],
    "check_repair": [
        loss,
        lambda p, y: F.nll_loss(p.clamp(min=smallest(p)).log(), y),
        lambda p, y: F.cross_entropy(p.clamp(min=smallest(p)).log(), y),
        lambda p, y: F.nll_loss((p + smallest(p)).log(), y),
    ],
}


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in WRONG for a in WRONG[n]])
def test_wrong_answers_are_refused(check, name, answer):
    with pytest.raises(AssertionError):
        check[name](answer)


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])
def test_right_answers_are_taken(check, name, answer):
    check[name](answer)
