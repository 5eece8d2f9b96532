"""Each notebook runs alone in an empty folder, as it does in Colab, and fetches its modules."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from books import ROOT, Repository
from environment import environment
from sources import notebooks, read_notebook


@pytest.mark.parametrize("name", notebooks(ROOT))
def test_it_runs_in_an_empty_folder(name: str, repository: Repository, tmp_path: Path):
    repository.publish("HEAD", ROOT / "content")
    folder = tmp_path / "empty"
    folder.mkdir()
    copy = Path(shutil.copy(ROOT / name, folder))
    settings = environment(ROOT, tmp_path / "state") | {"BOOK_SOURCE": repository.url}
    command = [sys.executable, "-m", "jupyter", "execute", "--timeout=300", "--inplace", copy.name]
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    code = [cell for cell in read_notebook(copy)["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code if cell["source"])
    # It has left its own output and what it fetched, nothing else.
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [copy.name, "inside-deep-learning-modules"]
    )
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".ipynb", ".py"}
