"""The set-up cell: in a clone it finds the modules; elsewhere it fetches and verifies them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from books import ROOT, Repository, cell, notebook

from scripts import export
from scripts.sources import Book, BookError, source

FOLDER = "inside-deep-learning-modules"
FETCH = (ROOT / "content" / "tools" / "fetch.py").read_text()
FILES = {
    "tools/__init__.py": "",
    "tools/fetch.py": FETCH,
    "tools/torch_metrics.py": "LIMIT = 1",
    "tools/network.py": "from tools.torch_metrics import LIMIT",
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
    body = "from tools.network import LIMIT\ncommand = ['alone.py']"
    cells_ = [cell("code", "", "setup", tags=["setup"]), cell("code", body, "body")]
    (root / "content" / "one.ipynb").write_text(json.dumps(notebook(*cells_)))
    export.write(Book.read(root))
    return root


def write_settings(root: Path, github: str = "https://github.com/somebody/a-book") -> None:
    project = {"github": github, "toc": [{"file": "content/one.ipynb"}]}
    (root / "myst.yml").write_text(json.dumps({"project": project}))


def set_up_cell(root: Path) -> str:
    """The text of the set-up cell of the notebook."""
    cells = Book.read(root).notebooks["content/one.ipynb"]["cells"]
    (found,) = [source(each) for each in cells if each["id"] == "setup"]
    return found


def served(clone: Path) -> dict[str, bytes]:
    """What the notebook is to have of the clone, by its path in content/."""
    return {name: (clone / "content" / name).read_bytes() for name in FILES if "other" not in name}


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
        return Path(names["CONTENT"])

    return execute


def written(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_is_short_and_states_what_the_notebook_uses(clone: Path):
    text = set_up_cell(clone)
    assert len(text.splitlines()) <= 15
    names = "mlp/alone.py tools/__init__.py tools/network.py tools/torch_metrics.py"
    assert f'"{names}"' in text
    assert "/v1.2.3/content" in text
    assert "https://raw.githubusercontent.com/somebody/a-book" in text


def test_a_fork_is_one_edit(clone: Path):
    write_settings(clone, "https://github.com/me/My.Book/")
    export.write(Book.read(clone))
    assert "https://raw.githubusercontent.com/me/My.Book" in set_up_cell(clone)


def test_it_is_stale_when_a_module_has_changed(clone: Path):
    assert export.stale(Book.read(clone)) is None
    (clone / "content/tools/torch_metrics.py").write_text("LIMIT = 2")
    assert list(export.outdated(Book.read(clone))) == [
        "content/tools/fetch.py",
        "content/one.ipynb",
    ]


@pytest.mark.parametrize("github", ["", "https://example.org/a/b", "https://github.com/only"])
def test_it_wants_to_know_the_repository(clone: Path, github: str):
    write_settings(clone, github)
    with pytest.raises(BookError, match="project.github"):
        export.stale(Book.read(clone))


@pytest.mark.parametrize("text", ["version: next", "version: 1.0"])
def test_it_wants_to_know_the_release(clone: Path, text: str):
    (clone / "CITATION.cff").write_text(f"title: A book\n{text}\n")
    with pytest.raises(BookError, match="CITATION.cff"):
        export.stale(Book.read(clone))


def test_before_the_first_release_it_names_that(clone: Path):
    (clone / "CITATION.cff").write_text("title: A book\n")
    export.write(Book.read(clone))
    assert "/v0.1.0/content" in set_up_cell(clone)


@pytest.mark.parametrize("place", ["content", "content/mlp", "content/mlp/below", "."])
def test_in_a_clone_it_takes_the_clone_s_modules_as_they_are(clone, run, repository, place):
    text = set_up_cell(clone)
    (clone / "content/tools/network.py").write_text("# a contributor's change")
    assert run(clone / place, text) == clone / "content"
    assert repository.asked == []


@pytest.mark.parametrize("version", ["v1.2.3", "HEAD"])
def test_elsewhere_it_fetches_once(clone, run, repository, tmp_path, version):
    repository.publish(version, clone / "content")
    folder = run(tmp_path / "empty")
    assert folder == tmp_path / "empty" / FOLDER
    assert written(folder) == served(clone)
    asked = len(repository.asked)
    assert run(tmp_path / "empty") == folder
    assert len(repository.asked) == asked


def test_a_newer_notebook_s_files_come_from_head(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    (clone / "content/tools/torch_metrics.py").write_text("LIMIT = 2")
    export.write(Book.read(clone))
    repository.publish("HEAD", clone / "content")
    folder = run(tmp_path / "empty")
    assert (folder / "tools/torch_metrics.py").read_text() == "LIMIT = 2"


def test_an_interrupted_fetch_goes_on(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    folder = run(tmp_path / "empty")
    (folder / "tools/network.py").unlink()
    (folder / "tools/network.partial").write_text("from tools.to")
    repository.asked.clear()
    run(tmp_path / "empty")
    assert repository.asked == ["/v1.2.3/content/tools/network.py"]
    assert set(written(folder)) - {"tools/network.partial"} == served(clone).keys()


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


def test_unreachable(run, tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_SOURCE", "http://localhost:9")
    assert_refused(run, tmp_path / "empty", "http://localhost:9", "check the connection", "clone")


def test_not_an_address(run, tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_SOURCE", "somewhere")
    assert_refused(run, tmp_path / "empty", "somewhere", "check the connection")


def test_a_server_in_trouble(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    repository.busy = True
    assert_refused(run, tmp_path / "empty", repository.url, "check the connection")


def only_fetch(repository: Repository, clone: Path) -> None:
    """Offer fetch.py, and nothing that it fetches."""
    path = clone / "content" / "tools" / "fetch.py"
    repository.files["/v1.2.3/content/tools/fetch.py"] = path.read_bytes()


def test_not_found(clone, run, repository, tmp_path):
    only_fetch(repository, clone)
    assert_refused(run, tmp_path / "empty", "was not found", "book's page")
    assert len(repository.asked) == 3  # fetch.py, and a file of the release, and then of HEAD


@pytest.mark.parametrize("name", ["tools/network.py", "tools/fetch.py"])
def test_tampered(clone, run, repository, tmp_path, name):
    for version in ("v1.2.3", "HEAD"):
        repository.publish(version, clone / "content")
        repository.files[f"/{version}/content/{name}"] += b"\nimport evil"
    assert_refused(run, tmp_path / "empty", "notebook", "page")


def test_an_answer_cut_off(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    repository.cut_off = True
    assert_refused(run, tmp_path / "empty", "check the connection")


class Trickle(BaseHTTPRequestHandler):
    """Sends a byte now and then, without end: no connection ever times out."""

    def do_GET(self) -> None:
        if self.path.endswith("fetch.py"):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.server.fetch)
            return
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b"x")
                time.sleep(0.02)

    def log_message(self, *_: object) -> None:
        pass


def test_a_server_that_trickles_does_not_hold_the_notebook(clone, tmp_path, run, monkeypatch):
    path = clone / "content" / "tools" / "fetch.py"
    path.write_text(path.read_text().replace("LIMIT = 60", "LIMIT = 0.5"))
    export.write(Book.read(clone))
    with ThreadingHTTPServer(("localhost", 0), Trickle) as server:
        server.daemon_threads = True
        server.fetch = path.read_bytes()
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("BOOK_SOURCE", f"http://localhost:{server.server_port}")
        assert_refused(run, tmp_path / "empty", "no answer within 0.5 s")
        server.fetch = b""
        text = set_up_cell(clone).replace("timeout=60", "timeout=0.01")  # of the first file
        assert_refused(lambda folder: run(folder, text), tmp_path / "empty", "check the connection")
        server.shutdown()


def test_several_notebooks_may_start_at_once_in_one_folder(clone, repository, tmp_path):
    repository.publish("HEAD", clone / "content")
    (tmp_path / "empty").mkdir()
    command = [sys.executable, "-c", set_up_cell(clone)]
    env = os.environ | {"BOOK_SOURCE": repository.url}
    started = [subprocess.Popen(command, cwd=tmp_path / "empty", env=env) for _ in range(6)]
    assert [each.wait(timeout=60) for each in started] == [0] * 6
    assert written(tmp_path / "empty" / FOLDER) == served(clone)


def test_a_parent_folder_that_only_looks_like_a_clone_is_not_run(clone, run, repository, tmp_path):
    repository.publish("HEAD", clone / "content")
    evil = tmp_path / "content" / "tools"
    evil.mkdir(parents=True)
    for name in ("fetch.py", "torch_metrics.py"):
        (evil / name).write_text("import evil")
    assert run(tmp_path / "empty") == tmp_path / "empty" / FOLDER


def test_a_file_that_the_reader_has_changed_stays(clone, run, repository, tmp_path):
    repository.publish("v1.2.3", clone / "content")
    folder = run(tmp_path / "empty")
    (folder / "tools/network.py").write_text("# mine")
    assert_refused(run, tmp_path / "empty", "network.py", "has changed", "move it away")


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
