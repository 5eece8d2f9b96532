"""Books for the tests: how a build of one ends, small ones to break, and who serves them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import yaml

from scripts.sources import read_notebook, source

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Build:
    """How a run of scripts.build ended. `report` is what it says of itself (build.Report)."""

    status: int
    output: str
    report: dict
    folder: Path

    @property
    def html(self) -> Path:
        """The site."""
        return self.folder / "html"

    @property
    def myst(self) -> Path:
        """MyST's own results, from which the site was made."""
        return self.folder / "work" / "_build" / "site"


def run_build(root: Path, folder: Path, *options: str, **variables: str) -> Build:
    """Run the build of the book in `root`, with results in `folder`."""
    command = [sys.executable, "-m", "scripts.build", "--to", str(folder), *options]
    # One thread is for what runs in a test's own process (conftest.py).
    settings = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    env = settings | variables
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True)
    return Build(done.returncode, done.stdout + done.stderr, read_report(folder), folder)


def read_report(folder: Path) -> dict:
    """What the last build in `folder` says of itself."""
    report = folder / "report.json"
    return json.loads(report.read_text()) if report.exists() else {}


def cell(kind: str, text: str, name: str, **metadata: object) -> dict:
    """A notebook's cell."""
    result = {"cell_type": kind, "id": name, "metadata": metadata, "source": text}
    return result | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def notebook(*cells: dict) -> dict:
    """A notebook as the book wants it."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel},
        "cells": list(cells),
    }


@dataclass
class SmallBook:
    """A book with the project's own scripts, theme and settings, and hardly any content."""

    root: Path
    pages: list[str] = field(default_factory=list)

    def write(self, name: str, content: str | dict) -> None:
        """Write a page or a notebook and put it into the table of contents; or another file."""
        path = self.root / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        if name.endswith((".md", ".ipynb")) and name not in self.pages:
            self.pages.append(name)
            config = yaml.safe_load((ROOT / "myst.yml").read_text())
            config["project"]["toc"] = [{"file": f"content/{page}"} for page in self.pages]
            (self.root / "myst.yml").write_text(yaml.safe_dump(config))

    def build(self, *options: str, **variables: str) -> Build:
        """Build it."""
        return run_build(self.root, self.root / "_build", *options, **variables)

    def processes(self) -> list[str]:
        """The command lines of the processes that work in this book."""
        found = []
        for process in psutil.process_iter():
            try:
                line = " ".join(process.cmdline())
                if str(self.root) in f"{process.cwd()} {line}":
                    found.append(line)
            except psutil.Error:
                continue  # ended meanwhile
        return found


def create_small_book(root: Path) -> SmallBook:
    """A book of one page, which builds."""
    ignore = shutil.ignore_patterns("node_modules", "__pycache__")
    for name in ("scripts", "theme"):
        shutil.copytree(ROOT / name, root / name, ignore=ignore)
    (root / "theme" / "node_modules").symlink_to(ROOT / "theme" / "node_modules")
    for name in ("pyproject.toml", "requirements.txt", "constraints.txt"):
        shutil.copy(ROOT / name, root / name)
    book = SmallBook(root)
    book.write("index.md", "# A small book\n\nIt builds.\n")
    return book


@contextmanager
def run_cells(name: str, *ids: str) -> Iterator[dict]:
    """What these cells of a notebook of the book define, beside what the generated modules do."""
    import torch  # most tests do without it

    from tools import torch_mlp, torch_training

    modules = torch_mlp, torch_training
    found = {each: getattr(module, each) for module in modules for each in module.__all__}
    before = torch.get_default_dtype()
    for cell_ in read_notebook((ROOT / name).read_bytes(), name)["cells"]:
        if cell_["id"] in ids:
            exec(source(cell_), found)
    yield found
    torch.set_default_dtype(before)


class Repository:
    """Answers like the repository: a folder for each version, and whatever a test puts there."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.cut_off = self.busy = False
        repository = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                repository.asked.append(self.path)
                data = repository.files.get(self.path)
                self.send_response(503 if repository.busy else 404 if data is None else 200)
                self.send_header("Content-Length", str(len(data or b"") + repository.cut_off))
                self.end_headers()
                self.wfile.write(data or b"")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("localhost", 0), Handler)
        self.url = f"http://localhost:{self.server.server_port}"

    def publish(self, version: str, content: Path) -> None:
        """Offer the modules of a folder content/ as those of a version."""
        for path in content.rglob("*"):
            if path.is_file():
                name = path.relative_to(content).as_posix()
                self.files[f"/{version}/content/{name}"] = path.read_bytes()

    @contextmanager
    def running(self) -> Iterator[Repository]:
        """Answer, until the end of the `with` block."""
        with self.server:
            threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
            yield self
            self.server.shutdown()
