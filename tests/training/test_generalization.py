"""Dropout against torch.nn, alone and over trainings; what it refuses; the exercises' checks."""

from __future__ import annotations

import math

import pytest
import torch
from answers import answer_tests
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tools.reference import TorchSequential
from tools.torch_mlp import Dense, Model, ReLU, SoftmaxCrossEntropy, one_hot
from tools.torch_training import Adam, Dropout

seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0, 0.95)
dtypes = st.sampled_from([torch.float64, torch.float32])


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@given(m=st.integers(1, 30), n=st.integers(1, 20), p=shares, seed=seeds, dtype=dtypes)
def test_dropout_is_that_of_torch_for_the_same_numbers(m, n, p, seed, dtype):
    x, grad = torch.randn(2, m, n, generator=seeded(seed), dtype=dtype)
    ours, theirs = Dropout(p, seeded(seed)), nn.Dropout(p)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        expected = theirs(x.requires_grad_())
    (expected_grad,) = torch.autograd.grad(expected, x, grad)
    x = x.detach()
    torch.testing.assert_close(ours.forward(x), expected.detach())
    torch.testing.assert_close(ours.backward(grad), expected_grad)
    assert ours.forward(x).dtype == dtype
    assert torch.equal(ours.predict(x), x) and torch.equal(ours.predict(x), theirs.eval()(x))


@given(p=st.floats(0, 0.9), seed=seeds)
def test_dropout_keeps_the_mean_and_leaves_its_share_out(p, seed):
    y = Dropout(p, seeded(seed)).forward(torch.ones(200, 200, dtype=torch.float64))
    dropped = (y == 0).double().mean().item()
    assert abs(dropped - p) < 6 * math.sqrt(p * (1 - p) / y.numel()) + 1e-12
    assert y.max() == pytest.approx(1 / (1 - p))
    assert abs(y.mean() - 1) < 6 * math.sqrt(p / (1 - p) / y.numel()) + 1e-12


@given(width=st.integers(1, 20), p=shares, size=st.integers(3, 20), seed=seeds)
def test_a_network_with_dropout_trains_as_in_torch(width, p, size, seed):
    draw, random = seeded(seed), seeded(seed)
    layers = [Dense(3, width, draw), ReLU(), Dropout(p, random)]
    layers += [Dense(width, width, draw), ReLU(), Dropout(p, random), Dense(width, 2, draw)]
    ours = Model(layers, SoftmaxCrossEntropy(), dtype=torch.float64)
    of_torch = [nn.Linear(3, width), nn.ReLU(), nn.Dropout(p)]
    of_torch += [nn.Linear(width, width), nn.ReLU(), nn.Dropout(p), nn.Linear(width, 2)]
    theirs = TorchSequential(of_torch, nn.CrossEntropyLoss(), dtype=torch.float64)
    for copied, w in zip(theirs.parameters(), ours.parameters(), strict=True):
        copied.copy_(w)
    x = torch.randn(20, 3, generator=draw, dtype=torch.float64)
    y = one_hot(torch.randint(2, (20,), generator=draw), 2).to(torch.float64)
    how = {"epochs": 2, "batch_size": size, "valid": (x, y)}
    mine = ours.fit(x, y, optimizer=Adam(0.01), generator=seeded(seed), **how)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        adam = torch.optim.Adam(theirs.module.parameters(), 0.01)
        other = theirs.fit(x, y, optimizer=adam, generator=seeded(seed), **how)
    expected = torch.tensor([other.train, other.valid])
    torch.testing.assert_close(
        torch.tensor([mine.train, mine.valid]), expected, rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize(
    ("p", "error"),
    [(1, ValueError), (-0.1, ValueError), (math.nan, ValueError), ("0.5", TypeError)],
)
def test_no_share_is_refused(p, error):
    with pytest.raises(error, match="p must be"):
        Dropout(p, None)


def best_of(losses, k):
    """By counting how long the lowest has stood."""
    lowest, at, waited = math.inf, None, 0
    for epoch, loss in enumerate(losses):
        waited += 1
        if loss < lowest:
            lowest, at, waited = loss, epoch, 0
        if waited == k:
            return epoch, at
    return len(losses) - 1, at


WRONG = {
    "check_patience": [
        lambda losses, k: (len(losses) - 1, losses.index(min(losses))),
        lambda losses, k: (best_of(losses, k)[0] + 1, best_of(losses, k)[1]),
        lambda losses, k: best_of(losses, k + 1),
        lambda losses, k: (best_of(losses, k)[0], best_of(losses, k)[0]),
    ],
    "check_temperature_gradient": [
        lambda Z, Y, T: -(((Z / T).softmax(1) - Y) * Z).sum() / T**2,
        lambda Z, Y, T: (((Z / T).softmax(1) - Y) * Z).sum() / len(Z) / T**2,
        lambda Z, Y, T: -((Z.softmax(1) - Y) * Z).sum() / len(Z) / T**2,
        lambda Z, Y, T: -(((Z / T).softmax(1) - Y) * Z).mean() / T**2,
    ],
}
RIGHT = {
    "check_patience": [best_of],
    "check_temperature_gradient": [
        lambda Z, Y, T: ((Y * Z).sum(1) - (torch.softmax(Z / T, 1) * Z).sum(1)).mean() / T**2
    ],
}


test_wrong_answers_are_refused, test_right_answers_are_taken = answer_tests(WRONG, RIGHT)
