"""Error metrics, and the check that two computations agree.

Every comparison in the book goes through :func:`check_parity`, so that a number that no longer
agrees stops the build. Where the environment variable ``BOOK_LEDGER`` names a file, each comparison
that held adds a line of JSON to it; the notebook of evidence shows them all. The two percentage
errors are for reading, not for verdicts: a percentage of something near zero says little.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from numbers import Real
from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = ["TOLERANCES", "Parity", "check_parity", "torch_mape", "torch_smape"]

# scikit-learn's smallest denominator, for every dtype.
EPS = torch.finfo(torch.float64).eps

#: Tolerances for ``check_parity(..., **TOLERANCES[dtype])``: 4096 times the dtype's machine
#: epsilon (the gap between 1 and the next number). Each arithmetic step rounds by up to half an
#: epsilon, and the two sides of a comparison take up to a few thousand steps in different order;
#: so this is the room that honest rounding may need. A mistake in a formula is far larger.
TOLERANCES = {
    dtype: {"rtol": 4096 * torch.finfo(dtype).eps, "atol": 4096 * torch.finfo(dtype).eps}
    for dtype in (torch.float64, torch.float32)
}


class Parity(NamedTuple):
    """What :func:`check_parity` measured, and the tolerance it was held to."""

    max_abs: float
    max_rel: float
    rtol: float
    atol: float


def torch_mape(pred: Tensor | float, true: Tensor | float, eps: float = EPS) -> float:
    """Mean absolute percentage error, as a ratio: 0.01 means one percent.

    ``mean(|pred - true| / max(|true|, eps))``, the definition of
    ``sklearn.metrics.mean_absolute_percentage_error`` (which takes the true values first).

    Args:
        pred: predictions, a tensor of any shape, or a number.
        true: true values, of the same shape, or a number.
        eps: smallest denominator.

    Raises:
        TypeError: one argument is a tensor and the other a number, or one is complex.
        ValueError: the shapes differ, the tensors are empty, or ``eps`` is not positive.

    >>> torch_mape(torch.tensor([11.0, 18.0]), torch.tensor([10.0, 20.0]))
    0.10000000149011612
    >>> torch_mape(1.5, 2.0)
    0.25
    """
    pred, true = _as_pair(pred, true, eps)
    return ((pred - true).abs() / true.abs().clamp(min=eps)).mean().item()


def torch_smape(pred: Tensor | float, true: Tensor | float, eps: float = EPS) -> float:
    """Symmetric mean absolute percentage error, as a ratio between 0 and 2.

    ``mean(2 |pred - true| / max(|pred| + |true|, eps))``. Exchanging ``pred`` and ``true`` changes
    nothing, and no single entry contributes more than 2, not even where ``true`` is zero.

    Args:
        pred: predictions, a tensor of any shape, or a number.
        true: true values, of the same shape, or a number.
        eps: smallest denominator.

    Raises:
        TypeError: one argument is a tensor and the other a number, or one is complex.
        ValueError: the shapes differ, the tensors are empty, or ``eps`` is not positive.

    >>> torch_smape(1.0, 3.0)
    1.0
    >>> torch_smape(torch.zeros(2), torch.ones(2))
    2.0
    """
    pred, true = _as_pair(pred, true, eps)
    return (2 * (pred - true).abs() / (pred.abs() + true.abs()).clamp(min=eps)).mean().item()


def check_parity(
    name: str,
    actual: Tensor | float | Sequence[Tensor | float],
    expected: Tensor | float | Sequence[Tensor | float],
    *,
    rtol: float,
    atol: float,
) -> Parity:
    """Assert that ``actual`` equals ``expected`` within a tolerance, and print one line about it.

    The line says whether they are equal, and the largest absolute difference of all entries. If
    they are, the file that ``BOOK_LEDGER`` names, if any, gets a line, too.

    Args:
        name: what is compared, for the printed line.
        actual: what our code computed: a tensor of any shape, a number, or a list of them.
        expected: what the reference computed: same shape, dtype and device, or a number, or a list
            of as many.
        rtol: relative tolerance.
        atol: absolute tolerance.

    Returns:
        The largest absolute error; the largest that a tensor has relative to its largest expected
        magnitude (so that an entry near zero cannot inflate it); and the tolerance.

    Raises:
        AssertionError: they differ by more than ``atol + rtol * |expected|`` anywhere; or in
            number, shape, dtype or device; or only one of them is NaN somewhere.
        TypeError: one argument is a tensor and the other a number.
        ValueError: a tolerance is negative or not finite.

    >>> check_parity("a half", 1 / 2, 0.5, rtol=1e-15, atol=0).max_abs
    a half: equal, worst 0 ✓
    0.0
    >>> pair = [torch.zeros(2), torch.ones(3)]
    >>> check_parity("two", pair, [p + 0.25 for p in pair], rtol=0, atol=0.5).max_abs
    two, 2 tensors: equal, worst 2e-01 ✓
    0.25
    """
    for key, value in (("rtol", rtol), ("atol", atol)):
        if not isinstance(value, Real) or not math.isfinite(value) or value < 0:
            raise ValueError(f"{key} must be a finite number >= 0, got {value!r}")
    claim = name
    got: list[Any] = [actual]
    wanted: list[Any] = [expected]
    if isinstance(actual, list | tuple) and isinstance(expected, list | tuple):
        tensors = any(isinstance(each, Tensor) for each in (*actual, *expected))
        name = f"{name}, {len(expected)} {'tensors' if tensors else 'numbers'}"
        if len(actual) != len(expected) or not expected:
            print(f"{name}: NOT EQUAL ✗")
            raise AssertionError(f"{name}: not equal\ngot {len(actual)} of them")
        got, wanted = list(actual), list(expected)
    pairs = [
        _as_tensors("actual", mine, "expected", theirs)
        for mine, theirs in zip(got, wanted, strict=True)
    ]
    errors = [_errors(*pair) for pair in pairs]
    # Unlike Python's max, this does not lose a NaN.
    max_abs, max_rel = torch.tensor(errors, dtype=torch.float64).amax(0).tolist()
    for mine, theirs in pairs:
        try:
            torch.testing.assert_close(
                mine,
                theirs,
                rtol=rtol,
                atol=atol,
                equal_nan=True,
                msg=lambda text: f"{name}: not equal\n{text}",
            )
        except AssertionError:
            print(f"{name}: NOT EQUAL, worst {max_abs:.2g}, allowed {atol:.0e} and {rtol:.0e} ✗")
            raise
    print(f"{name}: equal, worst {f'{max_abs:.0e}' if max_abs else '0'} ✓")
    parity = Parity(max_abs, max_rel, float(rtol), float(atol))
    if ledger := os.environ.get("BOOK_LEDGER"):
        with open(ledger, "a", encoding="utf-8") as file:
            row = {"claim": claim, "tensors": len(pairs), **parity._asdict()}
            print(json.dumps(row), file=file)
    return parity


def _errors(actual: Tensor, expected: Tensor) -> tuple[float, float]:
    """The largest difference, as it is and relative to the largest expected magnitude."""
    if actual.shape != expected.shape or actual.device != expected.device:
        return math.nan, math.nan
    if not expected.numel():
        return 0.0, 0.0
    wide = torch.complex128 if expected.dtype.is_complex else torch.float64
    mine, theirs = (tensor.cpu().to(wide) for tensor in (actual, expected))
    # Where both are infinite or not a number, nothing differs.
    same = (mine == theirs) | (mine.isnan() & theirs.isnan())
    error = (mine - theirs).abs().masked_fill(same, 0.0).max().item()
    scale = theirs.abs().max().item()
    return error, 0.0 if error == 0 else error / scale if scale else math.inf


def _as_tensors(
    name_a: str, a: Tensor | float, name_b: str, b: Tensor | float
) -> tuple[Tensor, Tensor]:
    """Two tensors as they are, or two numbers as float64 tensors; a mixture is an error."""
    if isinstance(a, Tensor) != isinstance(b, Tensor):
        raise TypeError(
            f"{name_a} and {name_b} must both be tensors or both be numbers, "
            f"got {type(a).__name__} and {type(b).__name__}"
        )
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return a.detach(), b.detach()
    for name, value in ((name_a, a), (name_b, b)):
        if not isinstance(value, Real):
            raise TypeError(f"{name} must be a tensor or a number, got {type(value).__name__}")
    return torch.tensor(float(a), dtype=torch.float64), torch.tensor(float(b), dtype=torch.float64)


def _as_pair(pred: Tensor | float, true: Tensor | float, eps: float) -> tuple[Tensor, Tensor]:
    """Both arguments of a metric as floating-point tensors of one shape, or what is wrong."""
    if not isinstance(eps, Real) or not math.isfinite(eps) or eps <= 0:
        raise ValueError(f"eps must be a positive finite number, got {eps!r}")
    pred, true = _as_tensors("pred", pred, "true", true)
    if pred.shape != true.shape:
        raise ValueError(
            "pred and true must have the same shape, "
            f"got {tuple(pred.shape)} and {tuple(true.shape)}"
        )
    if pred.numel() == 0:
        raise ValueError("pred and true must hold at least one number, got empty tensors")
    dtype = torch.promote_types(pred.dtype, true.dtype)
    if dtype.is_complex:
        raise TypeError(f"pred and true must be real, got {pred.dtype} and {true.dtype}")
    if not dtype.is_floating_point:
        dtype = torch.float64
    elif dtype.itemsize < 4:  # eps is zero in half precision
        dtype = torch.float32
    return pred.to(dtype), true.to(dtype)
