"""The norms against torch.nn, alone and over trainings; their error; the exercises' checks."""

from __future__ import annotations

import pytest
import torch
from answers import answer_tests
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tools.reference import TorchSequential
from tools.torch_mlp import MSE, SGD, Dense, Model, ReLU
from tools.torch_training import BatchNorm, LayerNorm

PAIRS = {BatchNorm: nn.BatchNorm1d, LayerNorm: nn.LayerNorm}
kinds = st.sampled_from(list(PAIRS))
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from([torch.float64, torch.float32])
tolerances = {torch.float64: (1e-9, 1e-10), torch.float32: (1e-3, 1e-3)}
eps = st.sampled_from([1e-5, 1e-3, 0.1])


def close(ours, theirs, dtype):
    rtol, atol = tolerances[dtype]
    torch.testing.assert_close(ours, theirs.detach().to(ours.dtype), rtol=rtol, atol=atol)


@given(
    kind=kinds, m=st.integers(2, 40), n=st.integers(2, 20), seed=seeds, eps=eps, dtype=dtypes,
    momentum=st.floats(0.01, 1), steps=st.integers(1, 5), scale=st.sampled_from([0.1, 1, 30]),
)  # fmt: skip
def test_a_norm_is_that_of_torch(kind, m, n, seed, eps, dtype, momentum, steps, scale):
    draw = torch.Generator().manual_seed(seed)
    options = {"eps": eps} | ({"momentum": momentum} if kind is BatchNorm else {})
    ours, theirs = kind(n, **options), PAIRS[kind](n, dtype=dtype, **options)
    gamma, beta = torch.randn(2, n, generator=draw, dtype=dtype)
    ours.gamma, ours.beta = gamma.clone(), beta.clone()
    if kind is BatchNorm:  # as Model turns it
        ours.running_mean, ours.running_var = (torch.full((n,), v, dtype=dtype) for v in (0, 1))
    with torch.no_grad():
        theirs.weight.copy_(gamma)
        theirs.bias.copy_(beta)
    for _ in range(steps):
        x = scale * torch.randn(m, n, generator=draw, dtype=dtype) + scale
        grad = torch.randn(m, n, generator=draw, dtype=dtype)
        y = ours.forward(x)
        expected = theirs(x.requires_grad_())
        grads = torch.autograd.grad(expected, [x, theirs.weight, theirs.bias], grad)
        close(y.detach(), expected, dtype)
        for mine, other in zip((ours.backward(grad), *ours.gradients()), grads, strict=True):
            close(mine.detach(), other, dtype)
    if kind is BatchNorm:
        close(ours.running_mean.detach(), theirs.running_mean, dtype)
        close((ours.running_var / scale**2).detach(), theirs.running_var / scale**2, dtype)
    close(ours.predict(x).detach(), theirs.eval()(x), dtype)


@given(
    kind=kinds,
    widths=st.lists(st.integers(2, 12), min_size=1, max_size=3),
    size=st.integers(2, 20),
    seed=seeds,
)
def test_a_network_with_norms_trains_as_in_torch(kind, widths, size, seed):
    draw = torch.Generator().manual_seed(seed)
    ours, theirs, n = [], [], 3
    for k in widths:
        ours += [Dense(n, k, draw), kind(k), ReLU()]
        theirs += [nn.Linear(n, k), PAIRS[kind](k), nn.ReLU()]
        n = k
    model = Model([*ours, Dense(n, 2, draw)], MSE(), dtype=torch.float64)
    twin = TorchSequential([*theirs, nn.Linear(n, 2)], nn.MSELoss(), dtype=torch.float64)
    for copied, w in zip(twin.parameters(), model.parameters(), strict=True):
        copied.copy_(w)
    x = torch.randn(2 * size, 3, generator=draw, dtype=torch.float64)
    y = torch.randn(2 * size, 2, generator=draw, dtype=torch.float64)
    histories = [
        network.fit(x, y, epochs=4, batch_size=size, optimizer=optimizer, valid=(x, y),
                    generator=torch.Generator().manual_seed(seed))
        for network, optimizer in (
            (model, SGD(0.05)), (twin, torch.optim.SGD(twin.module.parameters(), 0.05)))
    ]  # fmt: skip
    first, second = (torch.tensor([h.train, h.valid]) for h in histories)
    torch.testing.assert_close(first, second, rtol=1e-5, atol=1e-7)
    assert twin.module.training is False  # after a look at the validation samples


def test_a_batch_without_a_deviation_is_refused_before_anything_has_changed():
    norm = BatchNorm(3)
    for x in (torch.ones(1, 3), torch.ones(3), torch.ones(0, 3)):
        with pytest.raises(ValueError, match=r"x must be of shape \(m, n\), with m >= 2"):
            norm.forward(x)
    assert norm.running_mean.tolist() == 3 * [0] and norm.running_var.tolist() == 3 * [1]
    assert norm.predict(torch.ones(1, 3)).shape == (1, 3)


def test_the_gradient_has_nothing_that_shifts_or_stretches():
    x, grad = torch.randn(2, 9, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for norm, dim in ((BatchNorm(4, eps=0), 0), (LayerNorm(4, eps=0), 1)):
        norm.forward(x)
        g = norm.backward(grad)
        assert g.sum(dim).abs().max() < 1e-14 and (g * norm.u).sum(dim).abs().max() < 1e-14


def folded(W, b, norm):
    r = (norm.running_var + norm.eps).rsqrt()
    return W @ torch.diag(norm.gamma * r), norm.gamma * r * (b - norm.running_mean) + norm.beta


def in_place(W, b, norm):
    W *= norm.gamma * (norm.running_var + norm.eps).rsqrt()
    return W, folded(W, b, norm)[1]


WRONG = {
    "check_fold": [
        lambda W, b, norm: (W, b),
        in_place,
        lambda W, b, norm: (folded(W, b, norm)[0], b + norm.beta),
        lambda W, b, norm: (W * norm.gamma / norm.running_var.sqrt(), folded(W, b, norm)[1]),
        lambda W, b, norm: (folded(W, b, norm)[0].T, folded(W, b, norm)[1]),
    ],
    "check_rms_backward": [
        lambda g, u, r: r * g,
        lambda g, u, r: r * (g - g.mean(1, keepdim=True) - u * (g * u).mean(1, keepdim=True)),
        lambda g, u, r: r * (g - u * (g * u).mean(0)),
        lambda g, u, r: g - u * (g * u).mean(1, keepdim=True),
        lambda g, u, r: (r * g).sum(),
    ],
}
RIGHT = {
    "check_fold": [folded],
    "check_rms_backward": [
        lambda g, u, r: r * g - r * u * (g * u).sum(1, keepdim=True) / g.shape[1]
    ],
}


test_wrong_answers_are_refused, test_right_answers_are_taken = answer_tests(WRONG, RIGHT)
