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
# As a whole, a quick one, with figures that answer: their modules are fetched, too.
WHOLE = "content/mlp/first-network.ipynb"


def alone(notebook: dict) -> str:
    """The notebook's set-up cell, and its imports of ours."""
    lines = []
    for cell, text in code_cells(notebook):
        ours = sorted(name for name in imports(tree_of_cell(text)) if name.startswith("tools."))
        modules = [f"import {name}" for name in ours if name.count(".") == 1]
        lines += [text] if "setup" in tags(cell) else modules
    return "\n".join(lines)


@pytest.mark.parametrize("name", BOOK.notebooks)
def test_it_runs_in_an_empty_folder(name: str, repository: Repository, tmp_path: Path):
    repository.publish("HEAD", ROOT / "content")
    folder = tmp_path / "empty"
    folder.mkdir()
    settings = environment(tmp_path / "state") | {"BOOK_SOURCE": repository.url}
    notebook = BOOK.notebooks[name]
    command = [sys.executable, "-c", alone(notebook)]
    if name == WHOLE:
        copy = folder / Path(name).name
        copy.write_text(json.dumps(notebook))
        command = [sys.executable, "-m", "jupyter", "execute", "--inplace", copy.name]
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    # It has left its own output and what it fetched, nothing else.
    left = {path.name for path in folder.iterdir()}
    assert left == {"inside-deep-learning-modules", *([copy.name] if name == WHOLE else [])}
    kinds = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert kinds <= {".ipynb", ".py", ".mjs", ".csv"}
    if name == WHOLE:
        executed = code_cells(json.loads(copy.read_text()))
        assert all(cell["execution_count"] for cell, text in executed if text)
