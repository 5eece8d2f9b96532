"""What the notebooks on classification teach: their checks of answers, and a masked logit."""

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from tools.exercises import check_binary, check_luck, check_off, check_smoothing


def loss(z, y):
    return (y * softplus(-z) + (1 - y) * softplus(z)).mean()


def gradient(z, y):
    return (torch.sigmoid(z) - y) / len(z)


def logarithms(z, y, lowest=0.0):
    p, q = torch.sigmoid(z).clamp(min=lowest), (1 - torch.sigmoid(z)).clamp(min=lowest)
    return -(y * p.log() + (1 - y) * q.log()).mean()


def off(sure, right, n_bins, weigh=lambda some: some.sum(), distance=abs, low=0.0):
    """The expected calibration error, or one with a mistake."""
    bins = ((sure - low) / (1 - low) * n_bins).long().clamp(0, n_bins - 1)
    parts = [bins == each for each in bins.unique()]
    gaps = [weigh(some) * distance(sure[some].mean() - right[some].mean()) for some in parts]
    return sum(gaps) / sum(weigh(some) for some in parts)


WRONG = {
    check_off: [
        lambda sure, right, n: off(sure, right, n, weigh=lambda some: 1),
        lambda sure, right, n: off(sure, right, n, distance=lambda gap: gap**2),
        lambda sure, right, n: off(sure, right, n, low=0.3),
        lambda sure, right, n: off(sure, right, n + 1),
        lambda sure, right, n: abs(sure.mean() - right.mean()),
        lambda sure, right, n: (sure - right).abs().mean(),
    ],
    check_luck: [
        lambda a, m: (a * (1 - a)) ** 0.5,
        lambda a, m: a * (1 - a) / m,
        lambda a, m: (a / m) ** 0.5,
        lambda a, m: 0.5 / m**0.5,
        lambda a, m: (a * (1 - a) / m) ** 0.5 / 2,
    ],
    check_smoothing: [
        lambda Y, a: Y,
        lambda Y, a: 0.9 * Y + 0.1 / Y.shape[1],
        lambda Y, a: (1 - a) * Y + a / 3,
        lambda Y, a: (1 - a) * Y + a / len(Y),
        lambda Y, a: (1 - a) * Y + a / (Y.shape[1] - 1),
        lambda Y, a: (1 - a) * Y + a * (1 - Y) / (Y.shape[1] - 1),
        lambda Y, a: ((1 - a) * Y + a / Y.shape[1])[:1],
        lambda Y, a: torch.full_like(Y, 1 / Y.shape[1]),
    ],
    check_binary: [
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
    check_off: [off],
    check_luck: [
        lambda a, m: (a * (1 - a) / m) ** 0.5,
        lambda a, m: torch.distributions.Binomial(m, torch.tensor(a)).stddev / m,
    ],
    check_smoothing: [
        lambda Y, a: (1 - a) * Y + a / Y.shape[1],
        lambda Y, a: torch.lerp(Y, torch.full_like(Y, 1 / Y.shape[1]), a),
    ],
    check_binary: [
        lambda z, y: (loss(z, y), gradient(z, y)),
        lambda z, y: ((softplus(z) - y * z).mean().item(), (1 / (1 + (-z).exp()) - y) / z.numel()),
        lambda z, y: (nn.BCEWithLogitsLoss()(z, y), gradient(z, y)),
    ],
}


@pytest.mark.parametrize(("check", "answer"), [(c, a) for c in WRONG for a in WRONG[c]])
def test_wrong_answers_are_refused(check, answer):
    with pytest.raises(AssertionError):
        check(answer)


@pytest.mark.parametrize(("check", "answer"), [(c, a) for c in RIGHT for a in RIGHT[c]])
def test_right_answers_are_taken(check, answer):
    check(answer)
