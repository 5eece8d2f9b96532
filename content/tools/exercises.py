"""Running the check of an exercise on a reader's answer; the checks of the first two notebooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["attempt", "check_line", "check_order_loss", "check_ramp", "check_three_layers"]


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
            assert (got - leaf.grad).abs().max() < 1e-6, f"grad_{name} is another one"


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
        assert (gradient - leaf.grad).abs().max() < 1e-6, "the gradient is another one"
