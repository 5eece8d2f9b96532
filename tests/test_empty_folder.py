"""A notebook runs alone in an empty folder, as it does in Colab, and fetches what it uses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from books import ROOT, Repository

from scripts.environment import environment
from scripts.sources import Book, code_cells, imports, tags, tree_of_cell

BOOK = Book.read(ROOT)
# One that other notebooks' code comes from.
WHOLE = {"content/mlp/mlp-for-classification.ipynb"}


def alone(notebook: dict) -> dict:
    """The notebook with its set-up cell, and imports of ours, alone."""
    cells = []
    for cell, text in code_cells(notebook):
        ours = sorted(name for name in imports(tree_of_cell(text)) if name.startswith("tools."))
        modules = {name for name in ours if name.count(".") == 1}
        if "setup" in tags(cell):
            cells.append(cell)
        elif modules:
            cells.append(cell | {"source": "\n".join(f"import {name}" for name in modules)})
    return notebook | {"cells": cells}


@pytest.mark.parametrize("name", BOOK.notebooks)
def test_it_runs_in_an_empty_folder(name: str, repository: Repository, tmp_path: Path):
    repository.publish("HEAD", ROOT / "content")
    folder = tmp_path / "empty"
    folder.mkdir()
    copy = folder / Path(name).name
    notebook = BOOK.notebooks[name]
    copy.write_text(json.dumps(notebook if name in WHOLE else alone(notebook)))
    settings = environment(tmp_path / "state") | {"BOOK_SOURCE": repository.url}
    command = [sys.executable, "-m", "jupyter", "execute", "--timeout=300", "--inplace", copy.name]
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    executed = code_cells(json.loads(copy.read_text()))
    assert all(cell["execution_count"] for cell, text in executed if text)
    # It has left its own output and what it fetched, nothing else.
    assert {path.name for path in folder.iterdir()} <= {copy.name, "inside-deep-learning-modules"}
    kinds = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert kinds <= {".ipynb", ".py", ".mjs", ".csv"}
