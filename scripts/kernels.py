"""A notebook's run in a kernel of its own. Importing this takes two seconds."""

from __future__ import annotations

import copy
import json
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert.preprocessors import ExecutePreprocessor
from nbformat import from_dict

from scripts.processes import kill
from scripts.sources import source, tags

ANSI = re.compile(r"\x1b\[[0-9;]*m")
# Warnings are errors while a cell runs, and as before for the machinery between the cells, and for
# what of it runs beside them.
STRICT = """
def be_strict(events):
    import warnings
    before = list(warnings.filters)
    machinery = r"(asyncio|debugpy|ipykernel|IPython|jupyter_client|tornado|traitlets|zmq)\\b"
    def strict(info):
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", module=machinery)
    def lenient(result):
        warnings.filters[:] = before
    events.register("pre_run_cell", strict)
    events.register("post_run_cell", lenient)
be_strict(get_ipython().events)
del be_strict
"""

# `make audit` asks whether a finding hangs on the seeds that the page shows.
OTHER_SEEDS = """
import torch
def seeded(manual_seed, by):
    return lambda seed: manual_seed(seed + by)
class Generator(torch.Generator):
    def manual_seed(self, seed):
        return super().manual_seed(seed + {0})
torch.Generator, torch.manual_seed = Generator, seeded(torch.manual_seed, {0})
del Generator, seeded, torch
"""


class CellError(Exception):
    """A cell raised, died or took too long; the message says which one, and how."""


class Run(ExecutePreprocessor):
    """One execution of a notebook, which can be stopped from another thread."""

    def __init__(self, *, limit: float, strict: bool, log: IO):
        # The first kernels start when the machine is busiest.
        super().__init__(
            kernel_name="python3", timeout=limit, startup_timeout=300, record_timing=False
        )
        self.store_widget_state = False
        self.at = ""
        self._strict, self._log, self._stopped, self._count = strict, log, False, 0

    def outputs(self, notebook: dict[str, Any], folder: Path, ledger: str = "") -> dict[str, Any]:
        """The notebook with outputs, executed in a folder. Raises CellError.

        Its cells find the lines of the `ledger` in the file BOOK_LEDGER; what they add to it comes
        back in the notebook's metadata.
        """
        cells = [{**cell, "source": source(cell), "outputs": []} for cell in notebook["cells"]]
        node: Any = from_dict(copy.deepcopy({**notebook, "cells": cells}))
        with TemporaryDirectory() as place:
            self._ledger = Path(place) / "ledger.jsonl"
            self._ledger.write_text(ledger, encoding="utf-8")
            try:
                self.preprocess(node, {"metadata": {"path": str(folder)}})
            except (DeadKernelError, RuntimeError) as error:
                raise CellError(f"no kernel started: {error}") from None
            lines = self._ledger.read_text(encoding="utf-8").removeprefix(ledger).splitlines()
        filled = [
            cell | {"outputs": joined(run.outputs), "execution_count": run.execution_count}
            if cell["cell_type"] == "code"
            else cell
            for cell, run in zip(notebook["cells"], node.cells, strict=True)
        ]
        said = {"ledger": [json.loads(line) for line in lines]} if lines else {}
        return notebook | {"cells": filled, "metadata": notebook["metadata"] | said}

    def setup_kernel(self, **options: Any) -> Any:
        """Start the kernel; what it says outside of cells goes to the log."""
        lines = [STRICT] if self._strict else []
        if seed := os.environ.get("BOOK_SEED"):
            lines.insert(0, OTHER_SEEDS.format(int(seed)))
        self.extra_arguments = [f"--IPKernelApp.exec_lines={text}" for text in lines]
        options["env"] = os.environ | {"BOOK_LEDGER": str(self._ledger)}
        return super().setup_kernel(stdout=self._log, stderr=self._log, **options)

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Run one cell. Raises CellError."""
        if cell.cell_type != "code":
            return cell, resources
        is_run = cell.source.strip() and "skip-execution" not in tags(cell)
        self._count += bool(is_run)
        self.at = f'cell {index + 1} of {len(self.nb.cells)} (id "{cell.get("id", "")}"'
        self.at += f", In [{self._count}])"
        if self._stopped:
            raise CellError(f"{self.at} was stopped")
        try:
            return super().preprocess_cell(cell, resources, index)
        except CellExecutionError as error:
            trace = ANSI.sub("", str(error.traceback)).strip("\n").replace("\n", "\n    ")
            raise CellError(f"{self.at} raised an exception\n\n    {trace}\n") from None
        except CellTimeoutError:
            raise CellError(f"{self.at} did not end within {self.timeout} s") from None
        except DeadKernelError:
            raise CellError(f"{self.at} ended the kernel") from None

    def stop(self) -> None:
        """Kill the kernel and all that it started."""
        self._stopped = True
        kill(getattr(getattr(self.km, "provisioner", None), "process", None))


def joined(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outputs, with the pieces of a stream put together: how it was cut is an accident.

    (nbclient's own `coalesce_streams` takes minutes for a megabyte without a line break.)
    """
    found: list[dict[str, Any]] = []
    for each in outputs:
        last = found[-1] if found else {}
        if each["output_type"] == "stream" and each.get("name") == last.get("name"):
            last["text"] += each["text"]
        else:
            found.append(dict(each))
    return found
