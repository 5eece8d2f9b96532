"""Running the check of an exercise on a reader's answer; the checks of Part I's notebooks."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "attempt",
    "check_binary",
    "check_cheapest",
    "check_diagnose",
    "check_flops",
    "check_slope",
    "check_leaky_relu",
    "check_line",
    "check_luck",
    "check_off",
    "check_order_loss",
    "check_parameter_count",
    "check_ramp",
    "check_repair",
    "check_smoothing",
    "check_three_layers",
]


def attempt(check: Callable[..., None], *answer: Any) -> None:
    """Run ``check(*answer)`` and say how the answer stands.

    An answer that is still blank raises ``NotImplementedError``; that is where every reader
    starts, so it is a sentence and not a traceback. A wrong answer is a traceback: its last line
    is the hint.

    Args:
        check: raises ``AssertionError``, with a hint, if a property does not hold.
        *answer: what it is called with: the reader's function or class.

    Raises:
        AssertionError: the answer is wrong.
    """
    try:
        check(*answer)
    except NotImplementedError:
        print("Not solved yet: fill in the blank above, then run that cell and this one again.")
    else:
        print("Right: all properties hold.")


def check_ramp(ramp: Callable[[], tuple[list[float], ...]]) -> None:
    """Check two hidden units, ``w1, b1, w2, b2``: -1 up to x = -1, then x, then 1 from x = 1 on.

    Raises:
        AssertionError: they are not two units, or say something else somewhere.
    """
    w1, b1, w2, b2 = (torch.as_tensor(numbers, dtype=torch.float64) for numbers in ramp())
    sizes = [w.numel() for w in (w1, b1, w2, b2)]
    assert sizes == [2, 2, 2, 1], f"two units are wanted: 2, 2, 2 and 1 numbers, not {sizes}"
    for x in (-30.0, -3.0, -1.0, -0.4, 0.0, 0.7, 1.0, 2.5, 40.0):
        p = ((w1 * x + b1).clamp(min=0) * w2).sum().item() + b2.item()
        wanted = max(-1.0, min(x, 1.0))
        assert abs(p - wanted) < 1e-6, f"at {x:g} it is {p:g}, not {wanted:g}"


def check_line(line_step: Callable[..., tuple[Tensor, Tensor]]) -> None:
    """Check one step of gradient descent for ``p = w * x + b``, ``line_step(x, y, w, b, lr)``.

    Raises:
        AssertionError: a step, or where a hundred of them lead, is not what autograd says.
    """
    for seed, lr in ((0, 0.1), (1, 0.03), (2, 0.2)):
        draw = torch.Generator().manual_seed(seed)
        x, y = torch.randn(2, 7 + seed, 1, generator=draw, dtype=torch.float64)
        mine = theirs = (1.0, -2.0)
        for step in range(100):
            w, b = (torch.tensor(float(v), dtype=torch.float64, requires_grad=True) for v in theirs)
            ((w * x + b - y) ** 2).mean().backward()
            theirs = (w - lr * _gradient(w)).item(), (b - lr * _gradient(b)).item()
            answer = line_step(x, y, *mine, lr)
            assert answer is not None and len(answer) == 2, "return the new w and the new b"
            mine = tuple(float(value) for value in answer)
            for name, got, wanted in zip("wb", mine, theirs, strict=True):
                hint = (
                    f"after step {step + 1} with lr = {lr}, {name} is {got:.5g}, not {wanted:.5g}"
                )
                assert abs(got - wanted) < 1e-6 * (1 + abs(wanted)), hint


def check_three_layers(three_layers: Callable[..., tuple[Tensor, list[Tensor]]]) -> None:
    """Check the loss and the gradients of two hidden tanh layers and one more, against autograd.

    Raises:
        AssertionError: the loss, or one of the six gradients, is another one.
    """
    for m, *widths in ((7, 5, 4, 6, 3), (1, 2, 3, 1, 4), (6, 4, 4, 4, 4)):
        generator = torch.Generator().manual_seed(m)
        shapes = [s for n, k in zip(widths, widths[1:], strict=False) for s in ((n, k), (k,))]
        X, Y, *parameters = (
            torch.randn(shape, generator=generator, dtype=torch.float64)
            for shape in ((m, widths[0]), (m, widths[-1]), *shapes)
        )
        W1, b1, W2, b2, W3, b3 = leaves = [w.clone().requires_grad_() for w in parameters]
        P = ((X @ W1 + b1).tanh() @ W2 + b2).tanh() @ W3 + b3
        expected = nn.functional.mse_loss(P, Y)
        expected.backward()
        loss, gradients = three_layers(X, Y, *parameters)
        assert abs(float(loss) - expected.item()) < 1e-6, "the loss is another one"
        assert len(gradients) == 6, f"six gradients are wanted, not {len(gradients)}"
        names = ("W1", "b1", "W2", "b2", "W3", "b3")
        for name, got, leaf in zip(names, gradients, leaves, strict=True):
            assert got.shape == leaf.shape, f"grad_{name} must have the shape of {name}"
            assert (got - _gradient(leaf)).abs().max() < 1e-6, f"grad_{name} is another one"


def check_order_loss(order_loss: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
    """Check a loss and its gradient: 1 for each piece too many, 3 for each too few, the mean.

    Raises:
        AssertionError: the loss, or the gradient, is another one.
    """
    for seed, shape in enumerate(((5, 3), (1, 1), (4, 2))):
        generator = torch.Generator().manual_seed(seed)
        P, Y = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
        leaf = P.clone().requires_grad_()
        expected = ((leaf - Y).clamp(min=0) + 3 * (Y - leaf).clamp(min=0)).mean()
        expected.backward()
        answer = order_loss(P, Y)
        assert isinstance(answer, tuple) and len(answer) == 2, "return the cost and its gradient"
        cost, gradient = answer
        assert abs(float(cost) - expected.item()) < 1e-6, "the cost is another one"
        assert gradient.shape == P.shape, "the gradient has the shape of P"
        assert (gradient - _gradient(leaf)).abs().max() < 1e-6, "the gradient is another one"


def check_leaky_relu(LeakyReLU: Callable[[], Any]) -> None:
    """Check a layer: z where z > 0, and z/10 elsewhere. Raises AssertionError."""
    x, grad = torch.randn(2, 40, 3, generator=torch.Generator().manual_seed(0))
    layer, leaf = LeakyReLU(), x.clone().requires_grad_()
    (wanted := F.leaky_relu(leaf, 0.1)).backward(grad)
    layer.forward(x.abs())  # backward belongs to the last forward
    assert torch.allclose(layer.forward(x), wanted), "forward is another function"
    hint = "backward does not fit the last forward"
    assert torch.allclose(layer.backward(grad), _gradient(leaf)), hint
    assert not layer.parameters(), "it has no parameters: let it be a Layer"


def check_parameter_count(count: Callable[[int, list[int], int], int]) -> None:
    """Check ``count(n, hidden, k)``, a network's weights and biases. Raises AssertionError."""
    for n, *hidden, k in ((5, 3), (5, 32, 3), (5, 149, 3), (5, 32, 32, 3), (2, 7, 1, 9, 4)):
        layers = (nn.Linear(*shape) for shape in pairwise([n, *hidden, k]))
        wanted = sum(w.numel() for layer in layers for w in layer.parameters())
        got = count(n, list(hidden), k)
        hint = f"with {n} inputs, hidden layers {hidden} and {k} outputs there are {wanted}"
        assert got == wanted, f"{hint}, and you say {got}"


def check_smoothing(smooth: Callable[[Tensor, float], Tensor]) -> None:
    """Check smoothed targets, ``smooth(Y, alpha)`` for one-hot rows ``Y (m, k)``.

    Raises:
        AssertionError: the loss with them is not PyTorch's with its ``label_smoothing``.
    """
    for k, alpha in ((3, 0.1), (5, 0.3), (2, 0.0), (4, 1.0)):
        draw = torch.Generator().manual_seed(k)
        labels, z = torch.arange(8) % k, torch.randn(8, k, generator=draw, dtype=torch.float64)
        got = smooth(nn.functional.one_hot(labels, k).double(), alpha)
        assert (got.sum(1) - 1).abs().max() < 1e-9, "each row must still add up to 1"
        ours = -(got * z.log_softmax(1)).sum(1)
        theirs = nn.functional.cross_entropy(z, labels, label_smoothing=alpha, reduction="none")
        hint = f"with alpha = {alpha} the loss is not PyTorch's: has the right class got its part?"
        assert (ours - theirs).abs().max() < 1e-9, hint


def check_luck(luck: Callable[[float, int], float]) -> None:
    """Check ``luck(a, m)``, how far drawn accuracies scatter. Raises AssertionError."""
    draw = torch.Generator().manual_seed(0)
    for a, m in ((0.5, 100), (0.9, 100), (0.8, 25), (0.7, 1500)):
        right = torch.binomial(torch.full((10_000,), float(m)), torch.tensor(a), generator=draw)
        seen, said = (right / m).std().item(), float(luck(a, m))
        hint = f"with {a:.0%} right, {m} samples scatter by {seen:.3f}, and you say {said:.3f}"
        assert abs(said / seen - 1) < 0.05, hint


def check_off(off: Callable[[Tensor, Tensor, int], Any]) -> None:
    """Check ``off(sure, right, n_bins)``, the expected calibration error, by scikit-learn's bins.

    Raises:
        AssertionError: it is another number.
    """
    from sklearn.calibration import calibration_curve  # takes a second

    draw = torch.Generator().manual_seed(0)
    for n_bins in (4, 10):
        sure, luck = torch.rand(2, 4000, generator=draw, dtype=torch.float64)
        sure = 0.3 + 0.7 * sure
        right = (luck < 0.65).double()  # too sure in some bins, not sure enough in others
        shares, means = calibration_curve(right, sure, n_bins=n_bins)
        counts = torch.histc(sure, n_bins, 0, 1)
        wanted = (counts[counts > 0] * torch.tensor(abs(shares - means))).sum().item() / 4000
        said = float(off(sure, right, n_bins))
        assert abs(said - wanted) < 1e-9, f"with {n_bins} bins it is {wanted:.4f}, you say {said}"


def check_binary(binary_loss: Callable[[Tensor, Tensor], tuple[Any, Tensor]]) -> None:
    """Check the loss of two classes and its gradient, ``binary_loss(z, y)``, both ``(m, 1)``.

    Raises:
        AssertionError: loss or gradient are not PyTorch's, for logits up to 3 or up to 1000.
    """
    for m, scale in ((8, 3), (5, 3), (8, 1000)):
        draw, i = torch.Generator().manual_seed(m), torch.arange(m)[:, None]
        size = scale * torch.rand(m, 1, generator=draw, dtype=torch.float64)
        z, y = size * (i % 4 - 1.5).sign(), (i % 2).double()
        leaf = z.clone().requires_grad_()
        (wanted := nn.functional.binary_cross_entropy_with_logits(leaf, y)).backward()
        loss, gradient = binary_loss(z, y)
        hint = f"for {m} logits of up to ±{scale} the loss is {float(loss):.6g}, not {wanted:.6g}"
        assert abs(float(loss) - wanted) < 1e-9 * scale, hint
        off = (gradient - _gradient(leaf)).abs().max()
        assert off < 1e-9, f"the gradient of {m} logits is not PyTorch's"


def _gradient(leaf: torch.Tensor) -> torch.Tensor:
    """What autograd has left there."""
    assert leaf.grad is not None
    return leaf.grad


def check_diagnose(answer: Callable[[int, float, float], str]) -> None:
    """Check ``diagnose(k, loss, right)``: "mistake", "nothing learned" or "something else".

    Raises:
        AssertionError: an answer is wrong.
    """
    for k, loss, right, wanted in (
        (10, 1.48, 0.98, "mistake"),
        (3, 0.64, 0.91, "mistake"),
        (100, 3.72, 0.9, "mistake"),
        (2, 0.36, 0.95, "mistake"),
        (1000, 6.19, 0.72, "mistake"),
        (10, 2.30, 0.1, "nothing learned"),
        (100, 4.61, 0.01, "nothing learned"),
        (2, 0.69, 0.5, "nothing learned"),
        (1000, 6.91, 0.001, "nothing learned"),
        (10, 1.46, 0.5, "something else"),
        (3, 0.24, 0.91, "something else"),
        (3, 0.55, 0.78, "something else"),
        (10, 2.6, 0.4, "something else"),
        (100, 0.1, 0.98, "something else"),
    ):
        assert (got := answer(k, loss, right)) == wanted, (
            f"{k} classes, loss {loss}, {right:.1%} right: {wanted}, you say {got}"
        )


def check_cheapest(answer: Callable[[float], float]) -> None:
    """Check the cheapest answer for the doubled loss against a search, for several truths.

    Raises:
        AssertionError: an answer is wrong.
    """
    p = torch.linspace(0, 1, 10_001, dtype=torch.float64)
    said = torch.stack([p, 1 - p], 1)  # taken for logits
    for eta in (0.01, 0.2, 0.26, 0.28, 0.4, 0.5, 0.55, 0.65, 0.72, 0.74, 0.8, 0.99):
        truth = torch.tensor([eta, 1 - eta], dtype=torch.float64).expand(len(p), 2)
        costs = F.cross_entropy(said, truth, reduction="none")
        found, got = p[costs.argmin()].item(), float(answer(eta))
        assert abs(got - found) < 1e-3, (
            f"for {eta} a search finds {found:.3f}, you say {got:.3f}; is q = {eta} there?"
        )


def check_repair(answer: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Check a loss of probabilities (m, k) and labels (m,) against cross-entropy of the logits.

    Raises:
        AssertionError: an answer is wrong.
    """
    for dtype, m, k, rtol in (
        (torch.float32, 8, 5, 1e-4),
        (torch.float64, 7, 3, 1e-9),
        (torch.float64, 1, 11, 1e-9),
    ):
        z = 8 * torch.randn(m, k, generator=torch.Generator().manual_seed(m)).to(dtype)
        y = torch.arange(m) * 3 % k
        z[0, y[0]] -= 40  # a small probability for the right class
        got, wanted = answer((z := z.requires_grad_()).softmax(1), y), F.cross_entropy(z, y)
        assert got.shape == () and torch.allclose(got, wanted, rtol=rtol), (
            f"the loss is {got.tolist()}, cross-entropy of the logits {wanted.item()}"
        )
        mine, right = (torch.autograd.grad(loss, z)[0] for loss in (got, wanted))
        assert torch.allclose(mine, right, atol=1e-4), (
            "the gradient with respect to the logits is wrong"
        )
        p = torch.eye(k, dtype=dtype)[:2].requires_grad_()
        (gradient,) = torch.autograd.grad(loss := answer(p, torch.tensor([1, 1])), p)
        assert 20 < loss < math.inf and gradient.isfinite().all(), (
            f"where p_y is 0, the loss is {loss.item()} and the gradient {gradient.tolist()}: "
            "finite is wanted, and a large loss"
        )


def check_flops(count_flops: Callable[[list[int], int], int]) -> None:
    """Check the operations of a training step's products, against PyTorch's counter.

    Raises:
        AssertionError: there are more or fewer.
    """
    from torch.utils.flop_counter import FlopCounterMode

    for widths, m in (((5, 32, 32, 3), 33), ((4, 2), 7), ((1, 2, 3, 4, 5), 6)):
        network = nn.Sequential(*(nn.Linear(n, k) for n, k in pairwise(widths)))
        with FlopCounterMode(display=False) as counter:
            network(torch.rand(m, widths[0])).sum().backward()
        wanted, got = counter.get_total_flops(), count_flops(list(widths), m)
        assert got == wanted, (
            f"for widths {widths} and {m} rows you say {got}, PyTorch counts {wanted}; each layer "
            "has a product forward and two backward, except the first, which has one backward"
        )


def check_slope(leaky_slope: Callable[[Callable[..., None], Tensor, Tensor], None]) -> None:
    """Check a leaky ReLU's slope that is written down as calls, against autograd.

    Raises:
        AssertionError: something is done before the calls, they do something else, or not each
            time, or they make new memory for the result.
    """
    calls: list[partial[Any]] = []
    D, a = torch.ones(2, 3), torch.ones(2, 3)
    leaky_slope(lambda *call, **options: calls.append(partial(*call, **options)), D, a)
    assert calls, "nothing is given to run"
    assert D.eq(1).all() and a.eq(1).all(), "D or a has changed before a call was performed"
    for seed in range(2):
        z, grad = torch.randn(2, 2, 3, generator=torch.Generator().manual_seed(seed))
        z[0, 0] = 0
        activation = F.leaky_relu(z.requires_grad_(), 0.01)
        (expected,) = torch.autograd.grad(activation, z, grad)
        D.copy_(grad)
        a.copy_(activation.detach())
        for call in calls:
            call()
        assert torch.allclose(D, expected), (
            f"for a = {activation.tolist()} and D = {grad.tolist()}, the calls leave in D "
            f"{D.tolist()}, not {expected.tolist()}"
        )
