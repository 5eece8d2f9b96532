"""A notebook's run in a kernel of its own. Importing this takes a second."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbformat import NotebookNode, from_dict

from scripts.processes import kill
from scripts.sources import source

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


class Run(NotebookClient):
    """One execution of a notebook, which can be stopped from another thread."""

    def __init__(self, *, limit: float, strict: bool, log: IO):
        super().__init__(
            NotebookNode(),
            kernel_name="python3",
            timeout=limit,
            startup_timeout=300,  # the first kernels start when the machine is busiest
            record_timing=False,
            store_widget_state=False,
            on_cell_execute=self._begin,
        )
        seed = os.environ.get("BOOK_SEED")
        lines = [OTHER_SEEDS.format(int(seed))] if seed else []
        lines += [STRICT] if strict else []
        self.extra_arguments = [f"--IPKernelApp.exec_lines={text}" for text in lines]
        self.at = ""
        self._log, self._stopped = log, False

    def outputs(self, notebook: dict[str, Any], folder: Path, ledger: str = "") -> dict[str, Any]:
        """The notebook with outputs, executed in a folder. Raises CellError.

        Its cells find the lines of the `ledger` in the file BOOK_LEDGER; what they add to it comes
        back in the notebook's metadata. What the kernel says outside of cells goes to the log.
        """
        cells = [{**cell, "source": source(cell), "outputs": []} for cell in notebook["cells"]]
        self.nb = NotebookNode(from_dict({**notebook, "cells": cells}))
        self.resources = {"metadata": {"path": str(folder)}}
        with TemporaryDirectory() as place:
            path = Path(place) / "ledger.jsonl"
            path.write_text(ledger, encoding="utf-8")
            variables = os.environ | {"BOOK_LEDGER": str(path)}
            try:
                self.execute(env=variables, stdout=self._log, stderr=self._log)
            except CellExecutionError as error:
                trace = ANSI.sub("", str(error.traceback)).strip("\n").replace("\n", "\n    ")
                raise CellError(f"{self.at} raised an exception\n\n    {trace}\n") from None
            except CellTimeoutError:
                raise CellError(f"{self.at} did not end within {self.timeout} s") from None
            except RuntimeError as error:  # nbclient's DeadKernelError is one
                end = f"{self.at} ended the kernel" if self.at else f"no kernel started: {error}"
                raise CellError(end) from None
            lines = path.read_text(encoding="utf-8").removeprefix(ledger).splitlines()
        filled = [
            cell | {"outputs": joined(run.outputs), "execution_count": run.execution_count}
            if cell["cell_type"] == "code"
            else cell
            for cell, run in zip(notebook["cells"], self.nb.cells, strict=True)
        ]
        said = {"ledger": [json.loads(line) for line in lines]} if lines else {}
        return notebook | {"cells": filled, "metadata": notebook["metadata"] | said}

    def _begin(self, cell: Any, cell_index: int) -> None:
        """Note which cell is run. Raises CellError."""
        self.at = f'cell {cell_index + 1} of {len(self.nb.cells)} (id "{cell.get("id", "")}"'
        self.at += f", In [{self.code_cells_executed + 1}])"
        if self._stopped:
            raise CellError(f"{self.at} was stopped")

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
