"""The checks of exercises of Part II; `attempt`, which runs them, is in exercises.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = [
    "check_enough",
    "check_fold",
    "check_patience",
    "check_rms_backward",
    "check_standardize",
    "check_temperature_gradient",
]


def check_standardize(standardize: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
    """Check the standardizing of two parts ``(m, n)`` and ``(l, n)`` by the first one's numbers.

    Raises:
        AssertionError: it leaks, divides by zero, changes what it got, or does something else.
    """
    generator = torch.Generator().manual_seed(0)
    size, middle = torch.tensor([1, 50, 1e-3, 0]).double(), torch.tensor([5, -3, 0, 7]).double()
    parts = [
        middle + size * torch.randn(m, 4, generator=generator, dtype=torch.float64)
        for m in (40, 30)
    ]
    copies = [part.clone() for part in parts]
    train, other = (torch.as_tensor(part) for part in standardize(*parts))
    kept = all(torch.equal(part, copy) for part, copy in zip(parts, copies, strict=True))
    assert kept, "leave the data that you are given as they are"
    assert train.isfinite().all() and other.isfinite().all(), (
        "there is a nan or an inf: what happens in a constant column?"
    )
    deviation = train[:, :3].std(0, correction=0)
    assert train.mean(0).abs().max() < 1e-9 and (deviation - 1).abs().max() < 0.02, (
        "a column of the training part has the mean 0 and, unless constant, the deviation 1"
    )
    wanted = (parts[1] - parts[0].mean(0))[:, :3] / parts[0][:, :3].std(0)
    assert (other[:, :3] - wanted).abs().max() < 0.1, (
        "treat the other part as the training part was: with its mean and deviation"
    )


def check_enough(enough: Callable[[float, float], int]) -> None:
    """Check the number of test samples for which 1.96 standard deviations are at most ``half``.

    Raises:
        AssertionError: it is too small, or not the smallest.
    """
    for share, half in ((0.97, 0.005), (0.97, 0.01), (0.5, 0.03), (0.999, 0.001)):
        n = enough(share, half)
        assert isinstance(n, int) and n > 1, f"an int is wanted, not {n!r}"
        now, before = (1.96 * math.sqrt(share * (1 - share) / m) for m in (n, n - 1))
        assert now <= half * (1 + 1e-9) and before > half * (1 - 1e-9), (
            f"for {share:.1%} and {half:.1%} you say {n}; with that many it is {now:.3%}, "
            f"with one less {before:.3%}"
        )


def check_fold(fold: Callable[..., tuple[Tensor, Tensor]]) -> None:
    """Check ``fold(W, b, norm)``: a dense layer that is another one with batch norm behind it.

    Raises:
        AssertionError: it is not, or something that was given has changed.
    """
    for n, k in ((3, 4), (1, 1), (5, 2)):
        generator = torch.Generator().manual_seed(n)
        x, W, b, *numbers = (
            torch.rand(*shape, generator=generator, dtype=torch.float64) + 0.1
            for shape in ((6, n), (n, k), *5 * [(k,)])
        )
        names = "gamma", "beta", "running_mean", "running_var"
        norm = SimpleNamespace(**dict(zip(names, numbers, strict=True)), eps=0.01)
        # As (input - mean) / sqrt(variance + eps) * weight + bias, by PyTorch itself.
        statistics = norm.running_mean, norm.running_var
        wanted = F.batch_norm(x @ W + b, *statistics, norm.gamma, norm.beta, eps=norm.eps)
        given = [W, b, *numbers]
        copies = [each.clone() for each in given]
        new_W, new_b = fold(W, b, norm)
        assert all(map(torch.equal, given, copies)), "leave W, b and norm as they are"
        assert new_W.shape == W.shape and new_b.shape == b.shape, (
            f"W and b must keep their shapes {tuple(W.shape)} and {tuple(b.shape)}, "
            f"got {tuple(new_W.shape)} and {tuple(new_b.shape)}"
        )
        difference = (x @ new_W + new_b - wanted).abs().max().item()
        assert difference < 1e-9, f"the outputs differ by up to {difference:.2g}"


def check_rms_backward(rms_backward: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
    """Check the gradient of RMSNorm, ``rms_backward(g, u, r)``, against autograd's.

    Raises:
        AssertionError: it is another one.
    """
    for m, n in ((4, 3), (1, 5), (3, 2)):
        generator = torch.Generator().manual_seed(m)
        x, g = torch.randn(2, m, n, generator=generator, dtype=torch.float64)
        r = (x.requires_grad_().square().mean(1, keepdim=True) + 0.01).rsqrt()
        (wanted,) = torch.autograd.grad(u := x * r, x, g)
        got = rms_backward(g, u.detach(), r.detach())
        assert got.shape == x.shape, f"the gradient has the shape of x, {(m, n)}"
        difference = (got - wanted).abs().max().item()
        assert difference < 1e-9, f"it differs from autograd's by up to {difference:.2g}"


def check_patience(patience: Callable[[list[float], int], tuple[int, int]]) -> None:
    """Check the epochs at which a training of this patience ends, and whose weights it keeps.

    Raises:
        AssertionError: they are other ones.
    """
    dice = torch.Generator().manual_seed(0)
    long = (torch.rand(30, generator=dice) + torch.linspace(1, 0, 30)).tolist()
    for losses, k in (
        ([5, 4, 3, 4, 5, 6, 1], 2),
        ([1, 2], 5),
        ([1], 1),
        ([2, 2, 2, 2], 2),
        (long, 4),
    ):
        # Where each of the next k epochs is no better than the best up to here; or at the end.
        lows = [min(losses[: i + 1]) for i in range(len(losses))]
        ends = (i for i in range(k, len(losses)) if lows[i] == lows[i - k])
        end = next(ends, len(losses) - 1)
        wanted = (end, losses.index(lows[end]))
        got = tuple(patience(list(losses), k))
        shown = [round(loss, 2) for loss in losses]
        assert got == wanted, f"for {shown} and k = {k} it is {wanted}, not {got}"


def check_temperature_gradient(gradient: Callable[[Tensor, Tensor, float], Tensor]) -> None:
    """Check the derivative of the mean cross-entropy of ``Z / T`` by T against autograd's.

    Raises:
        AssertionError: it is another one.
    """
    for m, k, T in ((5, 3, 1.0), (1, 2, 0.5), (8, 4, 3.0)):
        draw = torch.Generator().manual_seed(m)
        Z = 3 * torch.randn(m, k, generator=draw, dtype=torch.float64)
        y = torch.randint(k, (m,), generator=draw)
        t = torch.tensor(T, dtype=torch.float64, requires_grad=True)
        (wanted,) = torch.autograd.grad(F.cross_entropy(Z / t, y), t)
        got = float(gradient(Z, F.one_hot(y, k).double(), T))
        assert abs(got - wanted) < 1e-9, f"for T = {T:g} it is {wanted:.5f}, you say {got:.5f}"
