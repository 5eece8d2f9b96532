"""Ask whether the findings of the notebooks hang on this machine, or on a seed.

Each notebook asserts what it says. So it is run again with other instructions, other threads
and, where findings are claimed to be general, from other seeds. Outputs are thrown away.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from scripts.build import LIMIT
from scripts.environment import enter
from scripts.execute import Cache, execute
from scripts.progress import Progress
from scripts.sources import ROOT, Book
from scripts.stage import stage

# The notebooks whose findings are claimed to be general. (Those of the digits are of one data set,
# as the page says; times have no seed.)
OTHER_SEEDS = (
    "first-network",
    "mlp-for-regression",
    "another-layer",
    "mlp-for-classification",
    "is-it-any-good",
    "softmax-cross-entropy-pitfall",
    "reproducibility",
    "broken-backprop",
    "automatic-differentiation",
    "optimizers",
    "initialization",
    "normalization",
    "generalization",
)
SETTINGS = (
    {"ATEN_CPU_CAPABILITY": "default"},
    {"OMP_NUM_THREADS": "1"},
    {"OMP_NUM_THREADS": "2"},
    *({"BOOK_SEED": str(seed)} for seed in (1000, 2000, 3000)),
)


def main() -> int:
    """Run them; returns the number of settings in which a notebook contradicts itself."""
    book, work = Book.read(), ROOT / "_build" / "audit"
    enter(work / "state")
    stage(book, work, {})
    failed = 0
    for setting in SETTINGS:
        progress = Progress()
        print(*setting.items(), flush=True)
        names = [
            name
            for name in book.notebooks
            if "BOOK_SEED" not in setting or Path(name).stem in OTHER_SEEDS
        ]
        os.environ.update(setting)
        with open(work / "audit.log", "a", encoding="utf-8") as log:
            done = execute(
                book, names, work, Cache(work), progress, strict=False, limit=LIMIT, log=log
            )
        for name in setting:
            del os.environ[name]
        print(*done.problems, sep="\n")
        failed += bool(done.problems)
    return failed


if __name__ == "__main__":
    sys.exit(main())
