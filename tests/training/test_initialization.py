"""The starts against torch.nn.init, residual layers against autograd; the exercises' checks."""

from __future__ import annotations

import math

import pytest
import torch
from books import run_cells
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tools.reference import TorchSequential
from tools.torch_mlp import MSE, SGD, Dense, Model, ReLU, Sigmoid, Tanh
from tools.torch_training import Residual, he_normal, xavier_uniform

NAME = "content/training/initialization.ipynb"
sizes = st.integers(1, 40)
seeds = st.integers(0, 2**32 - 1)
ACTIVATIONS = {ReLU: nn.ReLU, Sigmoid: nn.Sigmoid, Tanh: nn.Tanh}
dtypes = st.sampled_from([torch.float64, torch.float32])


@pytest.fixture(scope="module")
def defined():
    """What the notebook's cells define."""
    threads = torch.get_num_threads()
    with run_cells(NAME, "imports", "stack", "exercise-checks") as found:
        yield found
    torch.set_num_threads(threads)


@given(n=sizes, k=sizes, seed=seeds, gain=st.floats(0.1, 3))
def test_the_rules_are_those_of_torch(defined, n, k, seed, gain):
    ours, theirs = Dense(n, k), nn.Linear(n, k)
    for rule, of_torch, options in (
        (he_normal, nn.init.kaiming_normal_, {"nonlinearity": "relu"}),
        (xavier_uniform, nn.init.xavier_uniform_, {"gain": gain}),
    ):
        rule(ours, torch.Generator().manual_seed(seed), *[gain] * ("gain" in options))
        of_torch(theirs.weight, **options, generator=torch.Generator().manual_seed(seed))
        torch.testing.assert_close(ours.W, theirs.weight.detach().t(), rtol=1e-14, atol=1e-14)
        assert ours.b.tolist() == k * [0]


@given(widths=st.lists(sizes, min_size=2, max_size=5), seed=seeds, dtype=dtypes, data=st.data())
def test_residual_networks_train_as_in_torch(widths, seed, dtype, data):
    ours, theirs = [], []
    draw = torch.Generator().manual_seed(seed)

    class Block(nn.Module):
        def __init__(self, *layers):
            super().__init__()
            self.inner = nn.Sequential(*layers)

        def forward(self, x):
            return x + self.inner(x)

    for n, k in zip(widths, widths[1:], strict=False):
        kind = data.draw(st.sampled_from(list(ACTIVATIONS)))
        ours += [Residual(Dense(n, k, draw), kind(), Dense(k, n, draw)), Dense(n, k, draw)]
        theirs += [Block(nn.Linear(n, k), ACTIVATIONS[kind](), nn.Linear(k, n)), nn.Linear(n, k)]
    twin = TorchSequential(theirs, nn.MSELoss(), dtype=dtype)
    model = Model(ours, MSE(), dtype=dtype)
    model.copy_parameters_from(twin.module)
    x = torch.randn(11, widths[0], generator=draw).to(dtype)
    y = torch.randn(11, widths[-1], generator=draw).to(dtype)
    error = 4096 * torch.finfo(dtype).eps
    losses = []
    for network, optimizer in (
        (twin, torch.optim.SGD(twin.module.parameters(), lr=1e-3)),
        (model, SGD(1e-3)),
    ):
        options = {"epochs": 3, "batch_size": 4}
        losses.append(network.fit(x, y, optimizer=optimizer, **options).train)
    torch.testing.assert_close(*losses, rtol=error, atol=error)
    torch.testing.assert_close(model.parameters(), twin.parameters(), rtol=error, atol=error)
    grad_output = torch.ones(11, widths[0], dtype=dtype)
    model.layers[0].forward(x)
    assert model.layers[0].backward(grad_output).shape == x.shape


@given(c=st.floats(0.5, 4), seed=st.integers(0, 10**6))
def test_a_layer_multiplies_the_mean_square_as_derived(defined, c, seed):
    """One layer with ReLU, many units: half of n sigma squared, forward and backward."""
    n, draw = 400, torch.Generator().manual_seed(seed)
    dense, relu = Dense(n, n, draw), ReLU()
    dense.W = (c / n) ** 0.5 * torch.randn(n, n, generator=draw)
    dense.b = torch.zeros(n)
    x, grad = torch.randn(2, 50, n, generator=draw)
    z = relu.forward(dense.forward(x))
    assert abs(z.square().mean() / x.square().mean() / (c / 2) - 1) < 0.25
    back = dense.backward(relu.backward(grad))
    assert abs(back.square().mean() / grad.square().mean() / (c / 2) - 1) < 0.25


def test_pytorchs_default_has_the_variance_in_the_text():
    W = nn.Linear(300, 300, dtype=torch.float64).weight
    assert abs(W.var().item() * 3 * 300 - 1) < 0.05
    assert abs(Dense(300, 300, torch.Generator().manual_seed(0)).W.var() * 900 - 1) < 0.05


def orthogonal(n, generator):
    return torch.linalg.qr(torch.randn(n, n, generator=generator)).Q


WRONG = {
    "check_leaky": [
        lambda n, s: (2 / n) ** 0.5,
        lambda n, s: (2 / ((1 + s) * n)) ** 0.5,
        lambda n, s: 2 / ((1 + s * s) * n),
        lambda n, s: ((1 + s * s) / (2 * n)) ** 0.5,
    ],
    "check_orthogonal": [
        lambda n, generator: torch.eye(n),
        lambda n, generator: torch.randn(n, n, generator=generator) / n**0.5,
        lambda n, generator: torch.eye(n)[torch.randperm(n, generator=generator)],
        lambda n, generator: 2 * orthogonal(n, generator),
        lambda n, generator: orthogonal(n, torch.Generator().manual_seed(0)),
        lambda n, generator: torch.ones(n),
    ],
}
RIGHT = {
    "check_leaky": [
        lambda n, s: math.sqrt(2 / (n + n * s**2)),
        lambda n, s: nn.init.calculate_gain("leaky_relu", s) / math.sqrt(n),
    ],
    "check_orthogonal": [
        orthogonal,
        lambda n, generator: torch.linalg.svd(torch.rand(n, n, generator=generator)).U,
        lambda n, generator: nn.init.orthogonal_(torch.empty(n, n), generator=generator),
    ],
}


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in WRONG for a in WRONG[n]])
def test_wrong_answers_are_refused(defined, name, answer):
    with pytest.raises(AssertionError):
        defined[name](answer)


@pytest.mark.parametrize(("name", "answer"), [(n, a) for n in RIGHT for a in RIGHT[n]])
def test_right_answers_are_taken(defined, name, answer):
    defined[name](answer)
