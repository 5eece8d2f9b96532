"""Time the trainings of cost-of-training.ipynb, and what a reader might use instead.

    python -m scripts.bench         all networks and sizes; rewrites content/mlp/bench.csv
    python -m scripts.bench S M     only these networks, and no file

The trainings are the notebook's cells tagged `variant`, so nothing is written twice. Each is first
checked to train as PyTorch does. Times are processor time on one thread, all trainings in turn; a
result is the median over the rounds of the ratio to PyTorch's time in the same round.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import sys
import time
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.metadata import version
from statistics import median
from typing import Any

# JAX reads it when it is imported: one thread for it, too.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)

import scipy.linalg  # noqa: F401 (Numba's products are SciPy's, and are to be limited, too)
import torch
from threadpoolctl import threadpool_limits

from scripts.sources import CONTENT, ROOT, read_notebook, source, tags

sys.path.append(str(ROOT / CONTENT))  # the notebook's own modules
from tools import peers  # noqa: E402
from tools.timing import (  # noqa: E402
    WORK,
    Result,
    Work,
    clock,
    interleaved,
    processor,
    products,
    ratios,
)
from tools.torch_metrics import TOLERANCES  # noqa: E402

NOTEBOOK = "content/mlp/cost-of-training.ipynb"
RESULTS = ROOT / "content" / "mlp" / "bench.csv"
HEADER = ("what", "name", "at", "value", "low", "high")
#: Rounds, and epochs in each: so many that what a training does once is a few percent of it.
EFFORT = {"S": (21, 64), "R": (21, 8), "M": (21, 1), "L": (15, 1)}
#: The best of ours takes at most so much of PyTorch's time, and of the best peer's; and the book's
#: layers of PyTorch's.
GOALS = {
    "S": (0.06, 0.6, 0.5),
    "R": (0.13, 1.0, 0.6),
    "M": (0.8, 1.0, 1.25),
    "L": (1.05, 1.05, 1.25),
}
TAUGHT = "the book's layers"
#: What L's minute leaves no time for.
NOT_FOR_L = ("torch.compile", "torch.func", "scikit-learn", "memory", "folded", "fused")
#: Networks of growing size.
BASE = Work((32, 32, 32, 32, 10), WORK["S"].activations, "cross-entropy", 128, 64, torch.float64)
SIZES = {
    "width": {w: replace(BASE, widths=(32, w, w, w, 10)) for w in (8, 16, 32, 64, 128, 256, 512)},
    "batch": {m: replace(BASE, samples=2 * m, batch=m) for m in (1, 4, 16, 64, 256, 1024)},
}
PACKAGES = ("torch", "numpy", "numba", "jax", "scikit-learn")


def load_variants() -> types.ModuleType:
    """The notebook's cells tagged `variant`, as a module."""
    module = types.ModuleType("cost_of_training")
    sys.modules[module.__name__] = module
    for cell in read_notebook((ROOT / NOTEBOOK).read_bytes(), NOTEBOOK)["cells"]:
        if cell["cell_type"] == "code" and "variant" in tags(cell):
            place = f"{NOTEBOOK}, cell {cell['id']}"
            exec(compile(source(cell), place, "exec"), module.__dict__)
    return module


def candidates(variants: types.ModuleType) -> tuple[dict[str, Callable], dict[str, Callable]]:
    """What a reader might use, and ours, by name; each takes a work and a learning rate."""
    whole_epoch = partial(torch.compile, fullgraph=True, options={"cpp_wrapper": True})
    theirs = {
        "PyTorch": partial(peers.eager, foreach=True),
        "PyTorch, fused": partial(peers.eager, fused=True),
        "PyTorch, torch.compile": partial(peers.eager, compiler=torch.compile),
        "torch.func.grad": peers.func_grad,
        "scikit-learn": peers.scikit_learn,
        "JAX, epoch by epoch": peers.jax_training,
        "JAX, all epochs": partial(peers.jax_training, at_once=True),
    }
    ours = {
        TAUGHT: peers.book_layers,
        "straightforward": variants.straightforward,
        "fused gradient": variants.fused,
        "folded update": variants.folded,
        "memory prepared": variants.preallocated,
        "list of calls": variants.listed,
        "straightforward, torch.compile": partial(variants.straightforward, compiler=whole_epoch),
        "NumPy": variants.numpy_by_hand,
        "NumPy, Numba": variants.compiled,
        "loops, Numba": variants.fastest,
    }
    return theirs, ours


@cache
def trained_by_pytorch(work: Work) -> tuple[list[float], list[torch.Tensor]]:
    """After three epochs: the losses and the parameters."""
    parameters, train = peers.eager(work, 0.05)
    return train(3), parameters


def prepare(make: Callable, work: Work) -> tuple[Callable, float]:
    """A training, and the seconds that it took to the end of its first epoch.

    Raises:
        ValueError: it does not train as PyTorch does, in three epochs: in float64 to the tolerance
            of the book. In float32 a ReLU may take the other side of its kink; there, what the
            epochs have changed must agree.
    """
    start = time.perf_counter()
    mine, train = make(work, 0.05)
    losses = train(1)
    first = time.perf_counter() - start
    losses += train(1) + train(1)
    expected, theirs = trained_by_pytorch(work)
    pairs = list(zip(mine, theirs, work.parameters(), strict=True))
    if work.dtype == torch.float64:
        limit = TOLERANCES[work.dtype]["rtol"]
        worst = max(((a - b).abs() / (1 + b.abs())).max().item() for a, b, _ in pairs)
    else:
        limit = 5e-3
        worst = max(((a - b).norm() / (b - c).norm()).item() for a, b, c in pairs)
    for loss, other in zip(losses, expected, strict=bool(losses)):
        worst = max(worst, abs(loss - other) / (1 + abs(other)))
    if not worst <= limit:
        raise ValueError(f"not equal to PyTorch: off by {worst:.1e}")
    return train, first


@dataclass
class Report:
    """What has been measured, as rows of the file of results."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def add(self, what: str, name: str, at: Any, value: Any, low: Any = "", high: Any = "") -> None:
        """One more row; numbers get four digits."""
        numbers = (f"{v:.4g}" if isinstance(v, float) else v for v in (value, low, high))
        self.rows.append((what, name, at, *numbers))

    def add_result(self, what: str, name: str, at: Any, result: Result) -> None:
        """A row with a spread."""
        self.add(what, name, at, result.median, result.low, result.high)


def say(text: str) -> None:
    """What the program is doing, for those who wait."""
    print(f"{time.process_time():4.0f} s  {text}", file=sys.stderr, flush=True)


def time_network(variants: types.ModuleType, name: str, report: Report) -> dict[str, Result]:
    """Ratios to PyTorch of everything, for one network."""
    rounds, epochs = EFFORT[name]
    work, trainings = WORK[name], {}
    theirs, ours = candidates(variants)
    for label, make in (theirs | ours).items():
        if name == "L" and any(each in label for each in NOT_FOR_L):
            continue
        say(f"{name}: {label}")
        try:
            trainings[label], first = prepare(make, work)
        # torch.compile and Numba raise many kinds, such as without a C++ compiler.
        except Exception as error:
            kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
            reason = (str(error).strip() or "no reason given").splitlines()[0]
            report.missing.append(f"{label} on {name}: {kind}{reason}")
        else:
            report.add("first epoch", label, name, first)
    for order in (False, True):
        trainings[f"products, by {'columns' if order else 'rows'}"] = products(work, order)
    say(f"{name}: {rounds} rounds of {len(trainings)}")
    times = interleaved(trainings, rounds, epochs)
    middle = {label: median(values) for label, values in times.items()}
    for label, value in middle.items():
        report.add("epoch", label, name, value / epochs)
    eager = min(("PyTorch", "PyTorch, fused"), key=lambda label: middle.get(label, 1e9))
    table = {label: Result.of(values) for label, values in ratios(times, "PyTorch").items()}
    for label, result in table.items():
        report.add_result("ratio", label, name, result)
    peer = min(theirs.keys() & trainings.keys(), key=middle.__getitem__)
    best = min(ours.keys() & trainings.keys(), key=middle.__getitem__)
    judged = (best, eager), (best, peer), (TAUGHT, eager)
    for (label, other), goal in zip(judged, GOALS[name], strict=True):
        if label in times:
            result = Result.of(ratios(times, other)[label])
            report.add_result("goal", f"{label}, of {other}", name, result)
            print(f"{name}: {label}, of {other}: {result}, at most {goal}: {result.against(goal)}")
    return table


def time_sizes(variants: types.ModuleType, report: Report, rounds: int = 7) -> None:
    """Seconds of a step, for networks of growing size."""
    theirs, ours = candidates(variants)
    names = ("PyTorch", "JAX, epoch by epoch", "straightforward", "list of calls", "loops, Numba")
    for direction, works in SIZES.items():
        for size, work in works.items():
            say(f"{direction} {size}")
            trainings = {"products": products(work)}
            for label in names:
                try:
                    trainings[label] = (theirs | ours)[label](work, 0.01)[1]
                except ImportError as error:
                    report.missing.append(f"{label}: {error}")
            epochs = max(1, round(2e8 / (work.operations() + 1e7)))
            for label, values in interleaved(trainings, rounds, epochs).items():
                report.add(direction, label, size, median(values) / epochs / 2)


def time_machine(report: Report) -> None:
    """What large products reach: the bound for arithmetic."""
    for dtype in (torch.float64, torch.float32):
        A, B, out = (torch.rand(1024, 1024, dtype=dtype) for _ in range(3))
        seconds = []
        for _ in range(9):
            start = clock()
            torch.mm(A, B, out=out)
            seconds.append(clock() - start)
        name, rate = str(dtype).removeprefix("torch."), 2 * 1024**3 / min(seconds)
        report.add("operations per second", name, "", rate)


def describe(report: Report) -> None:
    """What the numbers depend on."""
    report.add("machine", "date", "", time.strftime("%Y-%m-%d"))
    report.add("machine", "processor", "", processor())
    report.add("machine", "instructions", "", torch.backends.cpu.get_cpu_capability())
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else "unknown"
    report.add("machine", "load before", "", load)
    report.add("machine", "python", "", platform.python_version())
    for package in PACKAGES:
        report.add("machine", package, "", version(package))


def print_tables(report: Report, tables: dict[str, dict[str, Result]]) -> None:
    """The report for people."""
    print("\nTime as a ratio to PyTorch's, median and range\n")
    print(f"{'':<32}" + "".join(f"{name:<26}" for name in tables))
    for label in dict.fromkeys(label for table in tables.values() for label in table):
        cells = [str(table[label]) if label in table else "-" for table in tables.values()]
        print(f"{label:<32}" + "".join(f"{cell:<26}" for cell in cells).rstrip())
    for line in report.missing:
        print(f"not in the table: {line}")


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Time trainings.")
    parser.add_argument("networks", nargs="*", help="of S, R, M, L; all if none is named")
    chosen = parser.parse_args(arguments).networks
    if unknown := set(chosen) - EFFORT.keys():
        parser.error(f"networks must be of {', '.join(EFFORT)}, got {', '.join(sorted(unknown))}")
    warnings.simplefilter("ignore")  # torch.compile and scikit-learn have a lot to say
    torch.set_num_threads(1)
    variants, report = load_variants(), Report()
    with threadpool_limits(1):
        describe(report)
        time_machine(report)
        for what, name, _, value, *_ in report.rows:
            print(f"{what}, {name}: {value}")
        tables = {name: time_network(variants, name, report) for name in chosen or EFFORT}
        if not chosen:
            time_sizes(variants, report)
    print_tables(report, tables)
    if not chosen:
        with RESULTS.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([HEADER, *report.rows])
        print(f"\nWritten to {RESULTS.relative_to(ROOT)}; `make export` tells the notebook.")
    return 0


if __name__ == "__main__":
    torch.compiler.config.force_disable_caches = True  # compile as if it were the first time
    sys.exit(main())
