"""Time the variants of cost-of-training.ipynb against everything else a reader might use.

    python scripts/bench.py               the table, and growth curves
    python scripts/bench.py S M           only these networks
    python scripts/bench.py --json FILE   the same for machines, too

The variants are the notebook's cells tagged `variant`, so nothing is written twice. Each is first
checked to train as PyTorch does. Times are processor time on one thread, taken by
torch.utils.benchmark, all variants in turn; a result is the median over the rounds of the ratio
to PyTorch's time in the same round. Its spread is the range in which that median lies with 95 %
confidence, whatever the distribution of the times (order statistics).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sources import ROOT, read_notebook, source, tags
from threadpoolctl import threadpool_limits

NOTEBOOK = "content/mlp/cost-of-training.ipynb"
#: Rounds, epochs in each, and samples. A training is so long that what it does once, such as
#: checking its data, is a few percent of it at most, as in the notebooks.
EFFORT = {"S": (21, 16, 100), "R": (21, 8, 1000), "M": (21, 1, 1280), "L": (5, 1, 512)}
#: What L's minute leaves no time for.
NOT_FOR_L = {"torch.compile", "torch.func.grad", "scikit-learn", "Preallocated", "BiasRow"}


def load_variants(root: Path = ROOT) -> types.ModuleType:
    """The notebook's cells tagged `variant`, as a module."""
    module = types.ModuleType("cost_of_training")
    sys.modules[module.__name__] = module
    if str(root / "content") not in sys.path:
        sys.path.insert(0, str(root / "content"))
    for cell in read_notebook((root / NOTEBOOK).read_bytes(), NOTEBOOK)["cells"]:
        if cell["cell_type"] == "code" and "variant" in tags(cell):
            place = f"{NOTEBOOK}, cell {cell['id']}"
            exec(compile(source(cell), place, "exec"), module.__dict__)
    return module


class FuncGrad:
    """torch.func.grad_and_value on a function of the parameters."""

    functions = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}

    def __init__(self, work: Any, lr: float = 0.01) -> None:
        self.work, self.lr, self.batches, self.values = work, lr, work.batches(), work.parameters()
        self.gradient = torch.func.grad_and_value(self.loss)

    def parameters(self) -> list[torch.Tensor]:
        return self.values

    def loss(self, parameters: list[torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> Any:
        names = (*self.work.activations, None)
        for W, b, name in zip(parameters[::2], parameters[1::2], names, strict=True):
            x = torch.addmm(b, x, W)
            x = self.functions[name](x) if name else x
        if self.work.loss == "mse":
            return torch.nn.functional.mse_loss(x, y)
        return torch.nn.functional.cross_entropy(x, y)

    def train(self, epochs: int) -> list[float]:
        history = []
        for _ in range(epochs):
            losses = []
            for x, y in self.batches:
                gradients, loss = self.gradient(self.values, x, y)
                losses.append(loss)
                for p, gradient in zip(self.values, gradients, strict=True):
                    p.sub_(gradient, alpha=self.lr)
            history.append(torch.stack(losses).mean().item())
        return history


class NumPy:
    """Gradients by hand, then the step, in NumPy."""

    functions: dict[str, tuple[Callable, Callable]] = {
        "relu": (lambda z: np.maximum(z, 0, out=z), lambda g, a: np.multiply(g, a > 0, out=g)),
        "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda g, a: g * (a * (1 - a))),
        "tanh": (np.tanh, lambda g, a: g * (1 - a * a)),
    }

    def __init__(self, work: Any, lr: float = 0.01) -> None:
        self.work, self.lr = work, lr
        self.values = [p.numpy() for p in work.parameters()]
        self.batches = [(x.numpy(), y.numpy()) for x, y in work.batches()]

    def parameters(self) -> list[torch.Tensor]:
        return [torch.from_numpy(p) for p in self.values]

    def step(self, x: np.ndarray, y: np.ndarray) -> float:
        weights, biases, A = self.values[::2], self.values[1::2], [x]
        names = self.work.activations
        for W, b, name in zip(weights, biases, (*names, None), strict=True):
            z = A[-1] @ W
            z += b
            A.append(self.functions[name][0](z) if name else z)
        z = A.pop()
        if self.work.loss == "mse":
            g = z - y
            loss, scale = np.vdot(g, g) / g.size, 2 / g.size
        else:
            z -= z.max(1, keepdims=True)
            log_p = z - np.log(np.exp(z).sum(1, keepdims=True))
            loss, scale = -np.vdot(y, log_p) / len(y), 1 / len(y)
            g = np.exp(log_p) - y
        g *= g.dtype.type(scale)
        gradients: list[np.ndarray] = []
        for i in reversed(range(len(weights))):
            gradients += [g.sum(0), A[i].T @ g]
            if i:
                g = self.functions[names[i - 1]][1](g @ weights[i].T, A[i])
        for p, gradient in zip(self.values, reversed(gradients), strict=True):
            gradient *= gradient.dtype.type(self.lr)
            p -= gradient
        return float(loss)

    def train(self, epochs: int) -> list[float]:
        return [
            sum(self.step(x, y) for x, y in self.batches) / len(self.batches) for _ in range(epochs)
        ]


class ScikitLearn:
    """MLPClassifier or MLPRegressor; without momentum, penalty and shuffling, which we lack."""

    def __init__(self, work: Any, lr: float = 0.01) -> None:
        if len(set(work.activations)) > 1:
            raise NotImplementedError("scikit-learn has one activation for all hidden layers")
        x, y = (tensor.numpy() for tensor in work.data())
        settings: dict[str, Any] = dict(
            hidden_layer_sizes=work.widths[1:-1], activation=work.activations[0], solver="sgd",
            momentum=0, alpha=0, shuffle=False, batch_size=work.batch,
        )  # fmt: skip
        if work.loss == "mse":  # it minimizes half the sum over the outputs, ours is their mean
            self.model = MLPRegressor(learning_rate_init=lr * 2 / y.shape[1], **settings)
            self.train_once = partial(self.model.partial_fit, x, y)
            self.train_once()  # makes the parameters, which the next lines replace
        else:
            self.model = MLPClassifier(learning_rate_init=lr, **settings)
            self.train_once = partial(self.model.partial_fit, x, y.argmax(1))
            self.model.partial_fit(x, y.argmax(1), classes=range(y.shape[1]))
        values = [p.numpy() for p in work.parameters()]
        for i, (W, b) in enumerate(zip(values[::2], values[1::2], strict=True)):
            self.model.coefs_[i][:], self.model.intercepts_[i][:] = W, b

    def parameters(self) -> list[torch.Tensor]:
        pairs = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return [torch.from_numpy(value) for pair in pairs for value in pair]

    def train(self, epochs: int) -> list[float]:
        """Trains; of the losses only the last is known, and it is weighted differently."""
        for _ in range(epochs):
            self.train_once()
        return []


@dataclass(frozen=True)
class Result:
    """The median of the rounds' ratios, and the range in which it lies with 95 % confidence."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Result:
        """The result of some rounds."""
        ordered = sorted(values)
        n, tail, rank = len(ordered), 0.0, 0
        # The median lies below the k-th smallest value only if fewer than k values lie below it.
        while rank < (n - 1) // 2 and (tail := tail + math.comb(n, rank) / 2**n) <= 0.025:
            rank += 1
        rank = max(rank - 1, 0)
        return cls(median(ordered), ordered[rank], ordered[n - 1 - rank])

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.low:.3f}-{self.high:.3f})"


def candidates(variants: types.ModuleType) -> dict[str, Callable[..., Any]]:
    """Everything that is timed, by name; each is called with a work and a learning rate."""
    eager = variants.TorchEager
    return {
        "PyTorch, foreach": partial(eager, foreach=True),
        "PyTorch, fused": partial(eager, fused=True),
        "torch.compile": variants.Compiled,
        "torch.func.grad": FuncGrad,
        "scikit-learn": ScikitLearn,
        "NumPy by hand": NumPy,
        "Straightforward": variants.Straightforward,
        "Taught": variants.Taught,
        "Preallocated": variants.Preallocated,
        "BiasRow": variants.BiasRow,
        "ByColumns": variants.ByColumns,
    }


@cache
def trained_by_pytorch(variants: types.ModuleType, work: Any) -> tuple[Any, ...]:
    """After three epochs: the losses, the parameters, and what they had been before."""
    reference = variants.TorchEager(work, 0.05)
    return reference.train(3), reference.parameters(), work.parameters()


def problem(variants: types.ModuleType, make: Callable[..., Any], work: Any) -> str:
    """Why a variant is not in the table: it does not train as PyTorch does, or cannot be run.

    In float64 it must agree to 4096 machine epsilons, the tolerance of the whole book. In float32
    a ReLU may take the other side of its kink; there, what three epochs have changed must agree.
    """
    works = [work]
    if work.dtype == torch.float32:
        works.append(replace(work, dtype=torch.float64, samples=100, batch=100))
    for each in works:
        try:
            mine = make(each, 0.05)
            losses = mine.train(3)
        except NotImplementedError as error:
            return str(error)
        except Exception as error:  # torch.compile raises many kinds, such as without a compiler
            return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
        expected, parameters, start = trained_by_pytorch(variants, each)
        pairs = list(zip(mine.parameters(), parameters, start, strict=True))
        if each.dtype == torch.float64:
            limit = 4096 * torch.finfo(each.dtype).eps
            worst = max(((a - b).abs() / (1 + b.abs())).max().item() for a, b, _ in pairs)
        else:
            limit = 5e-3
            worst = max(((a - b).norm() / (b - c).norm()).item() for a, b, c in pairs)
        for loss, other in zip(losses, expected, strict=bool(losses)):
            worst = max(worst, abs(loss - other) / (1 + abs(other)))
        if not worst <= limit:
            return f"not equal to PyTorch: off by {worst:.1e}"
    return ""


def time_network(
    variants: types.ModuleType, name: str, say: Callable[[str], None]
) -> tuple[dict[str, Result], dict[str, str]]:
    """Ratios to PyTorch, and what is missing and why."""
    rounds, epochs, samples = EFFORT[name]
    work = replace(variants.WORK[name], samples=samples)
    calls: dict[str, Callable[[], Any]] = {}
    missing: dict[str, str] = {}
    for label, make in candidates(variants).items():
        if name == "L" and label in NOT_FOR_L:
            continue
        say(f"{name}: checking {label}")
        if reason := problem(variants, make, work):
            missing[label] = reason
            continue
        calls[label] = partial(make(work).train, epochs)
    for label, by_columns in (("rows", False), ("columns", True)):
        calls[f"floor, by {label}"] = partial(variants.Floor(work, by_columns).train, epochs)
    for call in calls.values():
        call()
    say(f"{name}: {rounds} rounds of {len(calls)}")
    times = variants.interleaved(calls, rounds, 1, work.device)

    def best(prefix: str) -> str:
        return min((label for label in times if label.startswith(prefix)),
                   key=lambda label: median(times[label]))  # fmt: skip

    ratios = variants.ratios(times, best("PyTorch"))
    table = {label: Result.of(values) for label, values in ratios.items()}
    return table | {"floor": table[best("floor")]}, missing


def time_growth(variants: types.ModuleType, rounds: int = 5) -> dict[str, dict[str, list[float]]]:
    """Ratios to PyTorch for growing width, depth and batch."""
    base = replace(
        variants.WORK["M"], widths=(32, 64, 64, 10), samples=128, batch=64
    )  # two hidden layers, float32
    works = {
        "width": {w: replace(base, widths=(32, w, w, 10)) for w in (8, 32, 128, 512, 1024)},
        "depth": {
            d: replace(base, widths=(32,) * (d + 1) + (10,), activations=("relu",) * d)
            for d in (1, 2, 4, 8, 16, 32)
        },
        "batch": {m: replace(base, samples=2 * m, batch=m) for m in (1, 8, 64, 512, 2048)},
    }
    curves: dict[str, dict[str, list[float]]] = {}
    for direction, each in works.items():
        curve = curves[direction] = {direction: list(each), "Taught": [], "ByColumns": [],
                                     "floor": []}  # fmt: skip
        for work in each.values():
            calls = {
                "PyTorch": partial(variants.TorchEager(work, foreach=True).train, 2),
                "Taught": partial(variants.Taught(work).train, 2),
                "ByColumns": partial(variants.ByColumns(work).train, 2),
                "floor": partial(variants.Floor(work, by_columns=True).train, 2),
            }
            times = variants.interleaved(calls, rounds, 1, work.device)
            ratios = variants.ratios(times, "PyTorch")
            for label in ("Taught", "ByColumns", "floor"):
                curve[label].append(median(ratios[label]))
    return curves


def environment() -> dict[str, Any]:
    """What the numbers depend on."""
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = names[0] if names else processor
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "processor": processor,
        "vector instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load before": [round(x, 1) for x in os.getloadavg()] if hasattr(os, "getloadavg") else [],
    }


def print_report(report: dict[str, Any], tables: dict[str, dict[str, Result]]) -> None:
    """The report for people."""
    print("\n".join(f"{key:<20} {value}" for key, value in report["environment"].items()))
    print("\nTime as a ratio to PyTorch's (the better of foreach and fused), median and spread\n")
    labels = list(dict.fromkeys(label for table in tables.values() for label in table))
    print(f"{'':<20}" + "".join(f"{name:<22}" for name in tables))
    for label in labels:
        cells = [str(table[label]) if label in table else "-" for table in tables.values()]
        print(f"{label:<20}" + "".join(f"{cell:<22}" for cell in cells).rstrip())
    for name, reasons in report["missing"].items():
        for label, reason in reasons.items():
            print(f"not in the table: {label} on {name}: {reason}")
    for direction, curve in report.get("growth", {}).items():
        print(f"\nGrowth with {direction}, ratios to PyTorch\n")
        for label, values in curve.items():
            cells = [f"{v:>8}" if label == direction else f"{v:8.2f}" for v in values]
            print(f"{label:<12}" + "".join(cells))


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Time the variants.")
    parser.add_argument("networks", nargs="*", help="of S, R, M, L; all if none is named")
    parser.add_argument("--json", type=Path, help="write the report to this file, too")
    options = parser.parse_args(arguments)
    if unknown := set(options.networks) - EFFORT.keys():
        parser.error(f"networks must be of {', '.join(EFFORT)}, got {', '.join(sorted(unknown))}")
    warnings.simplefilter("ignore")  # torch.compile and scikit-learn have a lot to say
    torch.set_num_threads(1)
    threadpool_limits(1)  # for NumPy and scikit-learn
    variants, start = load_variants(), time.monotonic()
    report: dict[str, Any] = {"environment": environment(), "missing": {}}
    tables: dict[str, dict[str, Result]] = {}

    def say(text: str) -> None:
        print(f"{time.monotonic() - start:4.0f} s  {text}", file=sys.stderr, flush=True)

    for name in options.networks or EFFORT:
        tables[name], missing = time_network(variants, name, say)
        report["missing"] |= {name: missing} if missing else {}
    report["ratios"] = {
        name: {label: asdict(result) for label, result in table.items()}
        for name, table in tables.items()
    }
    if not options.networks:
        say("growth")
        report["growth"] = time_growth(variants)
    print_report(report, tables)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
