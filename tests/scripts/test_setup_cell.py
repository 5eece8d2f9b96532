"""The set-up cell: in a clone it finds the modules; elsewhere it fetches and verifies them."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cells
import pytest
from books import ROOT, Repository, cell, notebook
from sources import BookError, notebooks, read_notebook, source

FOLDER = "inside-deep-learning-modules"
FILES = {
    "tools/__init__.py": "",
    "tools/torch_metrics.py": "LIMIT = 1",
    "tools/torch_mlp.py": "from tools.torch_metrics import LIMIT",
    "tools/other.py": "",
    "mlp/alone.py": "import sys",
}


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of a book with one notebook, which uses two modules and a script."""
    root = tmp_path / "a clone"
    for name, text in FILES.items():
        path = root / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    write_settings(root)
    (root / "CITATION.cff").write_text("version: 1.2.3\n")
    body = "from tools.torch_mlp import LIMIT\ncommand = ['alone.py']"
    cells_ = [cell("code", "", "setup", tags=["setup"]), cell("code", body, "body")]
    (root / "content" / "one.ipynb").write_text(json.dumps(notebook(*cells_)))
    cells.write(root)
    return root


def write_settings(root: Path, github: str = "https://github.com/somebody/a-book") -> None:
    project = {"github": github, "toc": [{"file": "content/one.ipynb"}]}
    (root / "myst.yml").write_text(json.dumps({"project": project}))


def set_up_cell(root: Path, name: str = "content/one.ipynb") -> str:
    """The text of the set-up cell of a notebook."""
    found = [each for each in read_notebook(root / name)["cells"] if each["id"] == "setup"]
    assert len(found) == 1
    return source(found[0])


def stated(text: str) -> dict[str, str]:
    """The table of files in a set-up cell."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "MODULES":
            return ast.literal_eval(node.value)
    raise AssertionError("no MODULES")


@pytest.fixture
def run(clone: Path, repository: Repository, monkeypatch) -> Callable[[Path], Path]:
    """Run the set-up cell of the clone's notebook in a folder; returns where it looks now."""
    monkeypatch.setenv("BOOK_SOURCE", repository.url)

    def execute(folder: Path, text: str | None = None) -> Path:
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "path", list(sys.path))
        exec(text or set_up_cell(clone), names := {})
        assert sys.path[0] == str(names["CONTENT"])
        return names["CONTENT"]

    return execute


def written(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_states_what_the_notebook_uses_and_no_more(clone: Path):
    text = set_up_cell(clone)
    assert stated(text) == {
        name: hashlib.sha256(FILES[name].encode()).hexdigest()
        for name in FILES
        if name != "tools/other.py"
    }
    assert 'RELEASE = "v1.2.3"' in text
    assert "https://raw.githubusercontent.com/somebody/a-book" in text


def test_a_fork_is_one_edit(clone: Path):
    write_settings(clone, "https://github.com/me/My.Book/")
    cells.write(clone)
    assert 'REPOSITORY = "https://raw.githubusercontent.com/me/My.Book"' in set_up_cell(clone)


def test_it_is_stale_when_a_module_that_it_states_has_changed(clone: Path):
    (clone / "content/tools/other.py").write_text("x = 1")
    assert cells.outdated(clone) == {}
    (clone / "content/tools/torch_metrics.py").write_text("LIMIT = 2")
    assert list(cells.outdated(clone)) == [clone / "content" / "one.ipynb"]


@pytest.mark.parametrize("github", ["", "https://example.org/a/b", "https://github.com/only"])
def test_it_wants_to_know_the_repository(clone: Path, github: str):
    write_settings(clone, github)
    with pytest.raises(BookError, match="project.github"):
        cells.outdated(clone)


@pytest.mark.parametrize("text", ["", "version: next", "version: 1.0"])
def test_it_wants_to_know_the_release(clone: Path, text: str):
    (clone / "CITATION.cff").write_text(f"title: A book\n{text}\n")
    with pytest.raises(BookError, match="CITATION.cff"):
        cells.outdated(clone)


@pytest.mark.parametrize("place", ["content", "content/mlp", "content/mlp/below", "."])
def test_in_a_clone_it_takes_the_clone_s_modules_as_they_are(clone, run, repository, place):
    text = set_up_cell(clone)
    (clone / "content/tools/torch_mlp.py").write_text("# a contributor's change")
    assert run(clone / place, text) == clone / "content"
    assert repository.asked == []


@pytest.mark.parametrize("version", ["v1.2.3", "HEAD"])
def test_elsewhere_it_fetches_once(clone, run, repository, tmp_path, version):
    repository.publish(version, clone / "content")
    folder = run(tmp_path / "empty")
    assert folder == tmp_path / "empty" / FOLDER
    assert written(folder) == {n: t.encode() for n, t in FILES.items() if n != "tools/other.py"}
    asked = len(repository.asked)
    assert run(tmp_path / "empty") == folder
    assert len(repository.asked) == asked


def test_a_newer_notebook_s_files_come_from_head(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    (clone / "content/tools/torch_metrics.py").write_text("LIMIT = 2")
    cells.write(clone)
    repository.publish("HEAD", clone / "content")
    folder = run(tmp_path / "empty")
    assert (folder / "tools/torch_metrics.py").read_text() == "LIMIT = 2"


def test_an_interrupted_fetch_goes_on(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    folder = run(tmp_path / "empty")
    (folder / "tools/torch_mlp.py").unlink()
    (folder / "tools/torch_mlp.partial").write_text("from tools.to")
    repository.asked.clear()
    run(tmp_path / "empty")
    assert repository.asked == ["/v1.2.3/content/tools/torch_mlp.py"]
    assert written(folder).keys() == FILES.keys() - {"tools/other.py"}


def assert_refused(run, folder: Path, *words: str) -> None:
    """One sentence, with the words; and nothing has been written or changed."""
    folder.mkdir(exist_ok=True)
    before = written(folder)
    with pytest.raises(RuntimeError) as caught:
        run(folder)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert message.endswith(".") and "\n" not in message
    assert written(folder) == before


def test_unreachable(run, repository, tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_SOURCE", "http://localhost:9")
    assert_refused(run, tmp_path / "empty", "http://localhost:9", "cannot be reached", "clone")


def test_not_an_address(run, tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_SOURCE", "somewhere")
    assert_refused(run, tmp_path / "empty", "somewhere/v1.2.3", "cannot be reached")


def test_a_server_in_trouble(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    repository.busy = True
    assert_refused(run, tmp_path / "empty", "503", "cannot be reached")


def test_an_answer_cut_off(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    repository.cut_off = True
    assert_refused(run, tmp_path / "empty", "cannot be reached", "check the connection")


def test_no_answer_in_time(clone, tmp_path, run, monkeypatch):
    with ThreadingHTTPServer(("localhost", 0), BaseHTTPRequestHandler) as silent:
        monkeypatch.setenv("BOOK_SOURCE", f"http://localhost:{silent.server_port}")
        text = set_up_cell(clone)
        assert text.count("timeout=30") == 1
        quick = text.replace("timeout=30", "timeout=0.1")
        assert_refused(lambda folder: run(folder, quick), tmp_path / "empty", "cannot be reached")


def test_not_found(run, repository, tmp_path):
    assert_refused(run, tmp_path / "empty", "was not found", "book's page")
    assert len(repository.asked) == 2  # the release, and then HEAD


def test_tampered(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    repository.files["/v1.2.3/content/tools/torch_mlp.py"] += b"\nimport evil"
    repository.publish("HEAD", clone / "content")
    repository.files["/HEAD/content/tools/torch_mlp.py"] += b"\nimport evil"
    assert_refused(run, tmp_path / "empty", "torch_mlp.py", "not the file", "book's page")


def test_a_file_that_the_reader_has_changed_stays(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    folder = run(tmp_path / "empty")
    (folder / "tools/torch_mlp.py").write_text("# mine")
    assert_refused(run, tmp_path / "empty", "torch_mlp.py", "has changed", "move it away")


def test_a_folder_that_cannot_be_written(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / FOLDER).write_text("a file is in the way")
    assert_refused(run, folder, FOLDER, "cannot be written", "a folder of your own")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no read-only folders")
def test_a_read_only_folder(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    # The superuser may write everywhere but in the kernel's own folders.
    folder = Path("/sys") if os.access("/sys", os.X_OK) and os.geteuid() == 0 else tmp_path / "mine"
    if folder.parent == tmp_path:
        folder.mkdir(mode=0o500)
    with pytest.raises(RuntimeError, match=f"{FOLDER} cannot be written"):
        run(folder)


@pytest.mark.parametrize("name", notebooks(ROOT))
def test_each_notebook_of_the_book_states_what_it_imports(name: str):
    files = stated(set_up_cell(ROOT, name))
    for path, digest in files.items():
        assert hashlib.sha256((ROOT / "content" / path).read_bytes()).hexdigest() == digest, path
    others = [
        source(each)
        for each in read_notebook(ROOT / name)["cells"]
        if each["cell_type"] == "code" and each["id"] != "setup"
    ]
    for path in ROOT.glob("content/*/*.py"):
        if any(f"{path.parent.name}.{path.stem} import" in text for text in others):
            assert path.relative_to(ROOT / "content").as_posix() in files


def test_they_are_the_same_but_for_the_table():
    texts = {set_up_cell(ROOT, name) for name in notebooks(ROOT)}
    rest = {text.partition("MODULES = {")[0] + text.partition("\n}\n")[2] for text in texts}
    assert len(rest) == 1
    assert len(rest.pop().splitlines()) < 80  # short enough to read
