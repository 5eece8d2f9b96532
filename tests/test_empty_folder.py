"""A notebook runs alone in an empty folder, as it does in Colab, and fetches what it uses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from books import ROOT, Repository

from scripts.environment import environment
from scripts.sources import Book, code_cells, imports, tags, tree_of_cell

BOOK = Book.read(ROOT)
# As a whole, a quick one, with figures that answer: their modules are fetched, too.
WHOLE = "content/mlp/first-network.ipynb"
MODULES = "inside-deep-learning-modules"


def alone(notebook: dict) -> str:
    """The notebook's set-up cell, and its imports of ours."""
    lines = []
    for cell, text in code_cells(notebook):
        ours = sorted(name for name in imports(tree_of_cell(text)) if name.startswith("tools."))
        modules = [f"import {name}" for name in ours if name.count(".") == 1]
        lines += [text] if "setup" in tags(cell) else modules
    return "\n".join(lines)


# One program for all of them: most of its time goes to importing torch, once.
EACH = """
import json, os, sys
for folder, code in json.load(sys.stdin).items():
    os.chdir(folder)
    path = list(sys.path)
    exec(code, {})
    sys.path[:] = path
    for name in [name for name in sys.modules if name.partition(".")[0] == "tools"]:
        del sys.modules[name]
    print(folder)
"""


def fetched(folder: Path) -> set[str]:
    """The kinds of files that have come. Nothing else may be there."""
    assert {path.name for path in folder.iterdir() if path.suffix != ".ipynb"} == {MODULES}
    return {path.suffix for path in folder.rglob("*") if path.is_file()}


def test_each_notebook_s_modules_come_to_an_empty_folder(repository: Repository, tmp_path: Path):
    repository.publish("HEAD", ROOT / "content")
    settings = environment(tmp_path / "state") | {"BOOK_SOURCE": repository.url}
    folders = {tmp_path / Path(name).stem: alone(each) for name, each in BOOK.notebooks.items()}
    for folder in folders:
        folder.mkdir()
    codes = json.dumps({str(folder): code for folder, code in folders.items()})
    command = [sys.executable, "-c", EACH]
    done = subprocess.run(command, input=codes, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}, then {done.stderr[-3000:]}"
    assert all(fetched(folder) <= {".py", ".mjs", ".csv"} for folder in folders)


def test_a_notebook_runs_in_an_empty_folder(repository: Repository, tmp_path: Path):
    repository.publish("HEAD", ROOT / "content")
    settings = environment(tmp_path / "state") | {"BOOK_SOURCE": repository.url}
    folder = tmp_path / "empty"
    folder.mkdir()
    copy = folder / Path(WHOLE).name
    copy.write_text(json.dumps(BOOK.notebooks[WHOLE]))
    command = [sys.executable, "-m", "jupyter", "execute", "--inplace", copy.name]
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert fetched(folder) <= {".ipynb", ".py", ".mjs", ".csv"}
    executed = code_cells(json.loads(copy.read_text()))
    assert all(cell["execution_count"] for cell, text in executed if text)
