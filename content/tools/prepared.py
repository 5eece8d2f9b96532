"""Memory that exists already, and operations that write to it, for the chapter on cost.

All matrices lie in memory column after column: so the activations of a layer, next to a column of
ones, are one piece of memory. Operations are not called, but given to a function ``run``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tools.timing import Work

__all__ = ["IN_PLACE", "prepare", "split"]

Run = Callable[..., Any]


def ones(rows: int, columns: int, dtype: torch.dtype) -> Tensor:
    """Ones that lie in memory column after column."""
    return torch.ones(columns, rows, dtype=dtype).T


def inside(M: Tensor, rows: int, columns: int) -> Tensor:
    """A matrix of ones, with M in its upper left corner."""
    new = ones(rows, columns, M.dtype)
    new[: len(M), : M.shape[1]] = M
    return new


def prepare(work: Work) -> tuple[list[Tensor], list[tuple[Any, ...]], Callable[[], float]]:
    """Weights with their bias row, what each batch needs, and the loss of the epoch just done.

    A batch needs its inputs with ones ``(m, n + 1)``, its targets ``(m, k)``; for each layer a
    matrix for the activations with ones and one for the gradient; and a place for what its loss is
    made of: the differences (MSE), or the log-probabilities.
    """
    start, batches, memory = work.parameters(), work.batches(), {}
    weights = [inside(W, len(W) + 1, len(b)) for W, b in zip(start[::2], start[1::2], strict=True)]
    for W, b in zip(weights, start[1::2], strict=True):
        W[-1] = b
    for m in {len(X) for X, _ in batches}:  # the last batch may be short
        memory[m] = [(ones(m, k + 1, work.dtype), ones(m, k, work.dtype)) for k in work.widths[1:]]
    # Differences (MSE) or log-probabilities of the whole epoch, and each one's share in the loss.
    kept, shares = torch.ones(2, sum(Y.numel() for _, Y in batches), dtype=work.dtype)
    prepared, at = [], 0
    for X, Y in batches:
        m, k = Y.shape
        part, share = (v[at : at + m * k].view(k, m).T for v in (kept, shares))
        share.copy_(torch.full_like(Y, 1 / (m * k)) if work.loss == "mse" else -Y / m)
        at += m * k
        prepared.append((inside(X, m, X.shape[1] + 1), inside(Y, m, k), memory[m], part))
    shares /= len(batches)

    def loss() -> float:
        return torch.dot(kept * kept if work.loss == "mse" else kept, shares).item()

    return weights, prepared, loss


def split(weights: list[Tensor]) -> list[Tensor]:
    """``[W, b, W, b, ...]`` of weights with their bias row."""
    return [p for W in weights for p in (W[:-1], W[-1])]


def relu_slope(run: Run, D: Tensor, a: Tensor) -> None:
    """``D`` times 1 where ``a`` is positive, else 0. Nobody needs ``a`` any more: it changes."""
    run(torch.sign, a, out=a)
    run(torch.mul, D, a, out=D)


def sigmoid_slope(run: Run, D: Tensor, a: Tensor) -> None:
    """``D`` times ``a (1 - a)``."""
    run(torch.addcmul, a, a, a, value=-1, out=a)  # a - a * a
    run(torch.mul, D, a, out=D)


def tanh_slope(run: Run, D: Tensor, a: Tensor) -> None:
    """``D`` times ``1 - a * a``."""
    run(torch.mul, a, a, out=a)
    run(torch.addcmul, D, D, a, value=-1, out=D)  # D - D * a * a


IN_PLACE = {
    "relu": (torch.relu_, relu_slope),
    "sigmoid": (torch.sigmoid_, sigmoid_slope),
    "tanh": (torch.tanh_, tanh_slope),
}
