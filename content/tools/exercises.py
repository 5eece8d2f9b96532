"""Running the check of an exercise on a reader's answer; the checks of the first notebooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = [
    "attempt",
    "check_binary",
    "check_count_parameters",
    "check_leaky",
    "check_line",
    "check_ramp",
    "check_smoothing",
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
            theirs = (w - lr * w.grad).item(), (b - lr * b.grad).item()
            answer = line_step(x, y, *mine, lr)
            assert answer is not None and len(answer) == 2, "return the new w and the new b"
            mine = tuple(float(value) for value in answer)
            for name, got, wanted in zip("wb", mine, theirs, strict=True):
                hint = (
                    f"after step {step + 1} with lr = {lr}, {name} is {got:.5g}, not {wanted:.5g}"
                )
                assert abs(got - wanted) < 1e-6 * (1 + abs(wanted)), hint


def check_count_parameters(count: Callable[[list[int]], int]) -> None:
    """Check the number of weights and biases of dense layers, ``count(widths)``.

    Raises:
        AssertionError: it is not that of PyTorch's layers of these widths.
    """
    for widths in ([5, 32, 32, 3], [5, 64, 64, 3], [1, 1], [7, 2, 9, 4, 3]):
        layers = [nn.Linear(n, k) for n, k in zip(widths, widths[1:], strict=False)]
        wanted = sum(w.numel() for layer in layers for w in layer.parameters())
        hint = f"for {widths} it is another number: does each unit have a bias?"
        assert count(list(widths)) == wanted, hint


def check_leaky(leaky_backward: Callable[[Tensor, Tensor, float], Tensor]) -> None:
    """Check the way back through a leaky ReLU, ``leaky_backward(grad_output, z, slope)``.

    Raises:
        AssertionError: it is not autograd's, for positive and negative inputs and several slopes.
    """
    generator = torch.Generator().manual_seed(0)
    for slope, shape in ((0.1, (6, 4)), (0.3, (1, 7)), (0.0, (5, 5))):
        z, grad = torch.randn(2, *shape, generator=generator, dtype=torch.float64)
        nn.functional.leaky_relu(z.requires_grad_(), slope).backward(grad)
        got = leaky_backward(grad.clone(), z.detach(), slope)
        assert isinstance(got, Tensor) and got.shape == z.shape, "its shape is that of z"
        assert (got - z.grad).abs().max() < 1e-6, f"with a slope of {slope} an entry is wrong"


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
        off = (gradient - leaf.grad).abs().max()
        assert off < 1e-9, f"the gradient of {m} logits is not PyTorch's"
