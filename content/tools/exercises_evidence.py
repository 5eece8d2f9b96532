"""The checks of the exercises in the notebook of evidence."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

__all__ = ["check_gap", "check_rounding", "check_step", "check_sum"]


def check_gap(gap: Callable[[float, float], float]) -> None:
    """Check ``gap(x, eps)``: the distance from x > 0 to the next larger number.

    Raises:
        AssertionError: it is another one, in float32 or float64.
    """
    for dtype in (torch.float32, torch.float64):
        for value in (1.0, 1.5, 2.0, 1000.0, 0.1, 0.5, 3e-5, 123456.0):
            x = torch.tensor(value, dtype=dtype)
            wanted = (torch.nextafter(x, torch.full_like(x, math.inf)) - x).item()
            got = float(gap(x.item(), torch.finfo(dtype).eps))
            assert abs(got / wanted - 1) < 1e-6, (
                f"above {value:g} in {dtype} the gap is {wanted:.3g}, not {got:.3g}; "
                "at 1, which is ½ times 2 to the power of 1, it must be ε"
            )


class _Watch(TorchFunctionMode):
    """Notes the dtype of everything that PyTorch is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.dtypes: list[torch.dtype | None] = []

    def __torch_function__(
        self, func: Callable, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.dtypes.append(getattr(result, "dtype", None))
        return result


def check_sum(compensated_sum: Callable[[Tensor], Tensor]) -> None:
    """Check a sum of float32 numbers, one by one, that keeps what it loses.

    Raises:
        AssertionError: it is off by more than 2 epsilons, uses float64, or leaves it to PyTorch.
    """
    i = torch.arange(2000)
    for values in (torch.full((2000,), 0.1), i**3 % 1009 / 1009 + 0.5, (7 * i) ** 2 % 997 + 0.1):
        values = values.to(torch.float32)
        with _Watch() as watch:
            got = compensated_sum(values.clone())
        assert isinstance(got, Tensor) and got.dtype == torch.float32, "return a float32 tensor"
        assert torch.float64 not in watch.dtypes, "stay in float32 all the time"
        exact = math.fsum(values.tolist())
        off = abs(got.item() - exact) / exact / torch.finfo(torch.float32).eps
        assert off <= 2, (
            f"the sum is off by {off:.0f} ε: is the part that was lost taken off the next term?"
        )
        assert len(watch.dtypes) > 3 * len(values), "add up one by one, with what was lost"


def check_step(best_step: Callable[[float], float]) -> None:
    """Check ``best_step(eps)``: the best h for (f(x + h) - f(x)) / h where numbers have this ε.

    Raises:
        AssertionError: with this h, the quotient is far less exact than it could be.
    """
    cases = (
        (torch.exp, 0.5, math.exp(0.5)),
        (torch.sin, 1.0, math.cos(1)),
        (torch.log, 3.0, 1 / 3),
    )
    for dtype in (torch.float32, torch.float64):
        eps = torch.finfo(dtype).eps
        h = float(best_step(eps))
        assert math.isfinite(h) and h > 0, f"a step is a positive number, not {h}"
        for function, at, exact in cases:
            x = torch.tensor(at, dtype=dtype)
            off = abs(((function(x + h) - function(x)) / h).item() / exact - 1)
            assert off < 20 * eps**0.5 and h > eps**0.5 / 30, (
                f"with ε = {eps:.0e} and h = {h:.0e} the quotient may be off by "
                f"{max(off, eps / h):.0e}: where are h and ε/h equal?"
            )


def check_rounding(is_rounding: Callable[[float, float], bool]) -> None:
    """Check ``is_rounding(off64, off32)`` on differences in float64 and in float32.

    Raises:
        AssertionError: it takes rounding for a mistake, or a mistake for rounding.
    """
    e64, e32 = (torch.finfo(dtype).eps for dtype in (torch.float64, torch.float32))
    for off64, off32, wanted, why in (
        (3 * e64, 5 * e32, True, "a few ε in both is rounding"),
        (0.0, 2 * e32, True, "exactly equal in float64, and two ε in float32"),
        (0.0, 0.0, True, "exactly equal"),
        (1e6 * e64, 3e5 * e32, True, "in ε they are of one size: amplified rounding"),
        (0.01, 0.0101, False, "the same in both dtypes is a mistake"),
        (1e-8, 1.2e-7, False, "in float64 it is far above ε, and in float32 it drowns"),
        (2e-4, 2e-4, False, "small, but the same in both dtypes"),
        (0.3, 0.0, False, "no float64 rounds like that"),
    ):
        assert bool(is_rounding(off64, off32)) == wanted, (
            f"{off64:.1e} in float64 and {off32:.1e} in float32: {why}"
        )
