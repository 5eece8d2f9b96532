"""Trainings to time, and what one may conclude from the times."""

from __future__ import annotations

import math
import platform
import random
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from tools.torch_metrics import TOLERANCES

__all__ = [
    "WORK",
    "Result",
    "Training",
    "Work",
    "clock",
    "count_calls",
    "interleaved",
    "processor",
    "products",
    "ratios",
    "seconds",
    "time_card",
]

#: Parameters, ``[W, b, W, b, ...]``, and a function that trains for some epochs: their losses.
Training = tuple[list[Tensor], Callable[[int], list[float]]]

#: Processor time in seconds; on Windows, where that comes in steps of 16 ms, time.
clock = time.perf_counter if sys.platform == "win32" else time.process_time


@dataclass(frozen=True)
class Work:
    """A training to time. Data and starting parameters are the same whenever they are asked for."""

    widths: tuple[int, ...]
    activations: tuple[str, ...]  # of each layer: "relu", "sigmoid", "tanh" or "linear"
    loss: str  # "mse" or "cross-entropy"
    samples: int
    batch: int
    dtype: torch.dtype
    device: str = "cpu"

    def parameters(self) -> list[Tensor]:
        """``[W, b, W, b, ...]``, with ``W (n, k)`` and ``b (k,)``."""
        generator, drawn = torch.Generator().manual_seed(0), []
        for n, k in pairwise(self.widths):
            for shape in ((n, k), (k,)):
                uniform = 2 * torch.rand(shape, dtype=torch.float64, generator=generator) - 1
                drawn.append((uniform / math.sqrt(n)).to(self.device, self.dtype))
        return drawn

    def data(self) -> tuple[Tensor, Tensor]:
        """Inputs ``(samples, n)`` and targets ``(samples, k)``; one-hot for a cross-entropy."""
        generator = torch.Generator().manual_seed(1)
        x, y = (
            torch.randn(self.samples, width, dtype=torch.float64, generator=generator)
            for width in (self.widths[0], self.widths[-1])
        )
        if self.loss == "cross-entropy":
            y = (y == y.amax(1, keepdim=True)).to(torch.float64)
        return x.to(self.device, self.dtype), y.to(self.device, self.dtype)

    def batches(self) -> list[tuple[Tensor, Tensor]]:
        """The data, split in order; the last batch may be short."""
        return list(zip(*(tensor.split(self.batch) for tensor in self.data()), strict=True))

    def operations(self) -> int:
        """Floating-point operations of an epoch's matrix products."""
        first, *others = (n * k for n, k in pairwise(self.widths))
        return 2 * self.samples * (2 * first + 3 * sum(others))


WORK = {
    "S": Work(
        (5, 32, 32, 32, 3), ("relu",) * 3 + ("linear",), "cross-entropy", 100, 33, torch.float64
    ),
    "R": Work(
        (6, 32, 32, 32, 3), ("tanh", "sigmoid", "relu", "linear"), "mse", 1000, 100, torch.float64
    ),
    "M": Work(
        (784, 256, 256, 10), ("relu",) * 2 + ("linear",), "cross-entropy", 1280, 128, torch.float32
    ),
    "L": Work(
        (2048, 2048, 2048, 2048, 10), ("relu",) * 3 + ("linear",), "cross-entropy", 512, 512,
        torch.float32,
    ),
}  # fmt: skip


def products(work: Work, by_columns: bool = False) -> Callable[[int], None]:
    """A training of the necessary alone: its matrix products, with outputs that exist already.

    Args:
        work: whose products.
        by_columns: matrices lie in memory column after column, not row after row.
    """
    calls = calls_of_products(work, by_columns)

    @torch.inference_mode()
    def train(epochs: int) -> None:
        for _ in range(epochs):
            for call in calls:
                call()

    return train


def calls_of_products(work: Work, by_columns: bool) -> list[partial[Tensor]]:
    """The matrix products of an epoch."""

    def new(rows: int, columns: int) -> Tensor:
        if by_columns:
            return torch.rand(columns, rows, dtype=work.dtype).T
        return torch.rand(rows, columns, dtype=work.dtype)

    weights = [(new(n, k), new(n, k)) for n, k in pairwise(work.widths)]
    outputs: dict[int, list[tuple[Tensor, Tensor]]] = {}
    calls: list[partial[Tensor]] = []
    for x, _ in work.batches():
        m = len(x)
        layers = outputs.setdefault(m, [(new(m, k), new(m, k)) for k in work.widths[1:]])
        inputs = [(new(*x.shape), None), *layers[:-1]]
        for (A, d_A), (W, d_W), (Z, d_Z) in zip(inputs, weights, layers, strict=True):
            calls += [partial(torch.mm, A, W, out=Z), partial(torch.mm, A.T, d_Z, out=d_W)]
            calls += [] if d_A is None else [partial(torch.mm, d_Z, W.T, out=d_A)]
    return calls


def interleaved(
    trainings: dict[str, Callable[[int], Any]],
    rounds: int,
    epochs: int,
    clock: Callable[[], float] = clock,
) -> dict[str, list[float]]:
    """Seconds of each training in each round, by that clock; each round has an order of its own."""
    times: dict[str, list[float]] = {name: [] for name in trainings}
    for train in trainings.values():
        train(epochs)  # warm up
    order, draw = list(trainings), random.Random(0)
    for _ in range(rounds):
        draw.shuffle(order)  # what ran before may leave caches full of its own
        for name in order:
            start = clock()
            trainings[name](epochs)
            times[name].append(clock() - start)
    return times


def ratios(times: dict[str, list[float]], to: str) -> dict[str, list[float]]:
    """Times as ratios to those of one training in the same round."""
    return {
        name: [a / b for a, b in zip(each, times[to], strict=True)] for name, each in times.items()
    }


def time_card(make: Callable[[Work], dict[str, Training]], rounds: int = 9) -> list[str]:
    """Time trainings on a graphics card, by the clock on the wall: lines for ``cards.csv``.

    Args:
        make: the trainings of a network, first the one by whose time the others are divided.
        rounds: how often each is timed.

    Raises:
        AssertionError: in float64, losses or weights of three epochs are not those of the first.
    """
    lines = []
    for at, work in WORK.items():
        found = make(work)
        first = next(iter(found))
        ends = [[torch.tensor(train(3)), *(w.cpu() for w in ws)] for ws, train in found.values()]
        if work.dtype == torch.float64:
            for end in ends:
                torch.testing.assert_close(end, ends[0], **TOLERANCES[work.dtype])
        trainings = {name: train for name, (_, train) in found.items()}
        epochs = max(1, 2000 // work.samples)
        times = ratios(interleaved(trainings, rounds, epochs, time.perf_counter), first)
        about = torch.cuda.get_device_name(), torch.__version__, time.strftime("%Y-%m-%d"), at
        for name, each in times.items():
            result = Result.of(each)
            numbers = (f"{x:.4g}" for x in (result.median, result.low, result.high))
            lines.append(",".join((*about, f'"{name}"', *numbers)))
    return lines


class Count(TorchDispatchMode):
    """How many functions on tensors have been called, by Python or by autograd."""

    found = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Count it, and do it."""
        self.found += 1
        return func(*args, **(kwargs or {}))


def count_calls(train: Callable[[int], Any]) -> int:
    """How often an epoch calls PyTorch's functions on tensors; views and autograd's calls count."""
    with Count() as count:
        train(1)
    return count.found


def seconds(parts: dict[str, Callable[[], Any]], times: int) -> dict[str, float]:
    """The median time of one call of each function, of so many calls a round."""

    def repeated(f: Callable[[], Any]) -> Callable[[int], None]:
        def run(n: int) -> None:
            for _ in range(n):
                f()

        return run

    found = interleaved({name: repeated(f) for name, f in parts.items()}, 9, times)
    return {name: median(each) / times for name, each in found.items()}


@dataclass(frozen=True)
class Result:
    """A median, and the range in which it lies with 95 % confidence."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Result:
        """The result of some rounds, whatever the distribution of the values (order statistics)."""
        ordered = sorted(values)
        n, tail, rank = len(ordered), 0.0, 0
        # The median lies below the k-th smallest value only if fewer than k values lie below it.
        while rank < (n - 1) // 2 and (tail := tail + math.comb(n, rank) / 2**n) <= 0.025:
            rank += 1
        rank = max(rank - 1, 0)
        return cls(median(ordered), ordered[rank], ordered[n - 1 - rank])

    def against(self, goal: float) -> str:
        """Whether it is at most so large: met, missed, or undecided."""
        return "met" if self.high <= goal else "missed" if self.low > goal else "undecided"

    def __str__(self) -> str:
        digits = 2 if self.median > 0.3 else 3
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


def processor() -> str:
    """The name of this machine's processor."""
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
