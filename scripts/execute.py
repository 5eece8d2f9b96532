"""Execute notebooks where their outputs are not known yet, several at once.

Outputs are kept in a folder, one file for a notebook and a key: a hash of its code, of the modules
that it uses, of data files, of the versions installed and of the variables that change results.

The ledger is what `check_parity` found in all notebooks. A notebook with a cell tagged `ledger`
reads it: it comes after all others, and their rows are part of its key.
"""

from __future__ import annotations

import hashlib
import json
import platform
import sys
import sysconfig
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from scripts.environment import decisive, warm_up
from scripts.progress import Progress
from scripts.sources import Book, replace_text, source, tags
from scripts.stage import stage

AT_ONCE = 2
KEPT = 4  # outputs of a notebook: of the last few states that it and its environment were in
LARGEST = 2**22  # bytes that a cell may put out


@dataclass
class Execution:
    """Notebooks with outputs; which were known, which executed, in seconds; what went wrong."""

    notebooks: dict[str, dict[str, Any]]
    unchanged: list[str] = field(default_factory=list)
    executed: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def digest(*parts: str | bytes) -> str:
    """A hash of the parts and of where each ends."""
    result = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        result.update(hashlib.sha256(data).digest())
    return result.hexdigest()[:32]


def machinery() -> str:
    """A hash of what all outputs depend on: Python, packages, variables, and how cells are run."""
    here = Path(__file__).parent
    installed = sorted(each.name for each in Path(sysconfig.get_path("purelib")).glob("*-info"))
    ours = [(here / name).read_bytes() for name in ("kernels.py", "execute.py", "environment.py")]
    machine = platform.platform(terse=True)
    return digest(sys.version, machine, json.dumps([installed, decisive()]), *ours)


def ledger(book: Book, notebooks: dict[str, dict[str, Any]]) -> str:
    """What these notebooks have compared: a line of JSON for each row, in the order of the book."""
    return "".join(
        json.dumps({"notebook": name, **row}) + "\n"
        for name in book.notebooks
        for row in notebooks.get(name, {"metadata": {}})["metadata"].get("ledger", [])
    )


def key(book: Book, name: str, rows: str = "") -> str:
    """A hash of everything that the outputs of a notebook depend on; `rows` if it reads them."""
    notebook = book.notebooks[name]
    cells = [
        [source(cell), tags(cell)]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and "setup" not in tags(cell)
    ]
    files = [*book.modules_of(notebook), *book.data_of(notebook)]
    data = (book.files[each] for each in files)
    return digest(machinery(), json.dumps([cells, files]), rows, *data)


class Cache:
    """Outputs of notebooks, in a folder."""

    def __init__(self, folder: Path):
        self._folder = folder

    def _path(self, name: str, key_: str) -> Path:
        return self._folder / f"{digest(name)[:8]}-{key_}.json"

    def get(self, name: str, notebook: dict, key_: str, *, strict: bool) -> dict | None:
        """The notebook with outputs; None where they are not known. Damage is not knowing."""
        path = self._path(name, key_)
        try:
            known = json.loads(path.read_text(encoding="utf-8"))
            stored = [known["cells"], known["metadata"]]
            if known["digest"] != digest(json.dumps(stored)) or strict > known["strict"]:
                return None
            cells = list(notebook["cells"])
            code = [place for place, cell in enumerate(cells) if cell["cell_type"] == "code"]
            for place, outputs in zip(code, known["cells"], strict=True):
                cells[place] = cells[place] | outputs
            path.touch()
            metadata = notebook["metadata"] | known["metadata"]
            return notebook | {"cells": cells, "metadata": metadata}
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, name: str, notebook: dict, key_: str, *, strict: bool) -> None:
        """Keep the outputs of a notebook, and forget the oldest ones of it."""
        cells = [
            {"outputs": cell["outputs"], "execution_count": cell["execution_count"]}
            for cell in notebook["cells"]
            if cell["cell_type"] == "code"
        ]
        metadata = {k: v for k, v in notebook["metadata"].items() if k == "ledger"}
        known = {"strict": strict, "digest": digest(json.dumps([cells, metadata]))}
        known |= {"cells": cells, "metadata": metadata}
        self._folder.mkdir(parents=True, exist_ok=True)
        replace_text(self._path(name, key_), json.dumps(known))
        paths = self._folder.glob(f"{digest(name)[:8]}-*.json")
        for path in sorted(paths, key=lambda path: path.stat().st_mtime)[:-KEPT]:
            path.unlink(missing_ok=True)


def fill(
    book: Book, work: Path, cache: Cache, progress: Progress, *, strict: bool, limit: float, log: IO
) -> Execution:
    """Make the copy of the book in `work`, with the outputs that are known, then with all."""
    done = Execution({})
    for reading in (False, True):
        rows = ledger(book, done.notebooks) if reading else ""
        todo = []
        for name, notebook in book.notebooks.items():
            if any("ledger" in tags(cell) for cell in notebook["cells"]) == reading:
                known = cache.get(name, notebook, key(book, name, rows), strict=strict)
                if known:
                    done.notebooks[name] = known
                    done.unchanged.append(name)
                else:
                    todo.append(name)
        if todo and not done.problems:
            stage(book, work, done.notebooks)
            warm_up()
            new = execute(
                book, todo, work, cache, progress, rows=rows, strict=strict, limit=limit, log=log
            )
            done.notebooks |= new.notebooks
            done.executed |= new.executed
            done.problems += new.problems
    stage(book, work, done.notebooks)
    return done


def execute(
    book: Book,
    names: list[str],
    work: Path,
    cache: Cache,
    progress: Progress,
    *,
    rows: str = "",
    strict: bool,
    limit: float,
    log: IO,
) -> Execution:
    """Execute notebooks of the book in its copy in `work`.

    With `strict`, a warning in a cell is an error; `limit` is the seconds that a cell may take;
    `rows` are those of the ledger, for notebooks that read it.
    """
    result = Execution({})
    if not names:
        return result
    from scripts.kernels import CellError, Run

    runs = {name: Run(limit=limit, strict=strict, log=log) for name in names}
    started: dict[str, float] = {}

    def run(name: str) -> dict[str, Any]:
        progress.say(f"executing {name}")
        started[name] = time.monotonic()
        return runs[name].outputs(book.notebooks[name], work / Path(name).parent, rows)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = {pool.submit(run, name): name for name in names}
        pending: set[Future] = set(futures)
        try:
            while pending:
                done, pending = wait(pending, timeout=1, return_when=FIRST_COMPLETED)
                for future in done:
                    name = futures[future]
                    seconds = time.monotonic() - started.pop(name)
                    try:
                        executed = future.result()
                    except CellError as error:
                        result.problems.append(f"{name}: {error}")
                        progress.say(f"failed    {name} after {seconds:.0f} s")
                        continue
                    result.notebooks[name] = executed
                    result.executed[name] = round(seconds, 1)
                    cache.put(name, executed, key(book, name, rows), strict=strict)
                    progress.say(f"executed  {name} in {seconds:.0f} s")
                progress.tick({name: (since, runs[name].at) for name, since in started.items()})
        except BaseException:
            for future in pending:
                future.cancel()
            for each in runs.values():
                each.stop()
            raise
    return result


def too_large(name: str, notebook: dict[str, Any]) -> list[str]:
    """What is wrong with the size of a notebook's outputs."""
    found = []
    for number, cell in enumerate(notebook["cells"], start=1):
        size = len(json.dumps(cell.get("outputs") or []))
        if size > LARGEST:
            found.append(
                f'{name}: cell {number} of {len(notebook["cells"])} (id "{cell.get("id", "")}") '
                f"has {size / 2**20:.1f} MB of output; at most {LARGEST / 2**20:.0f} MB"
            )
    return found
