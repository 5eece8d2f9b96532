"""Two built sites, the kitchen sink and the book, in Chromium."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.theme import sink

ROOT = Path(__file__).resolve().parents[2]
BASE = "a/base path"  # a site must work wherever it is put
# Chromium itself calls home; a test machine may have no network.
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
NOT_PAGES = {"404.html", "book.html"}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one that Playwright has installed."""
    found = os.environ.get("BOOK_BROWSER") or shutil.which("chromium") or shutil.which("chrome")
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        options = [*QUIET, "--no-sandbox"] if root else QUIET
        running = playwright.chromium.launch(executable_path=found, args=options)
        yield running
        running.close()


@dataclass(frozen=True)
class Site:
    """A built site: its folder, and the address at which it is served."""

    folder: Path
    url: str

    @property
    def pages(self) -> list[str]:
        """The files of the pages of the book."""
        files = (path.relative_to(self.folder) for path in sorted(self.folder.rglob("*.html")))
        return [file.as_posix() for file in files if file.as_posix() not in NOT_PAGES]


class Quiet(SimpleHTTPRequestHandler):
    """A file server that logs nothing."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """A server that minds no browser that goes away before it has everything."""

    def handle_error(self, *request: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(*request)


@contextmanager
def served(folder: Path, top: Path) -> Iterator[Site]:
    """The site in `folder`, served below a base path. `top` is an empty folder to serve from."""
    place = top / BASE
    place.parent.mkdir(parents=True)
    place.symlink_to(folder, target_is_directory=True)
    with Server(("localhost", 0), partial(Quiet, directory=top)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(folder, f"http://localhost:{server.server_port}/{BASE.replace(' ', '%20')}/")
        server.shutdown()


@pytest.fixture(scope="session")
def sink_site(tmp_path_factory) -> Iterator[Site]:
    """The kitchen sink."""
    folder = tmp_path_factory.mktemp("sink")
    sink.create(folder)
    built = sink.build(folder)
    assert built.returncode == 0, built.stdout + built.stderr
    with served(folder / "_build" / "html", tmp_path_factory.mktemp("served")) as site:
        yield site


@pytest.fixture(scope="session")
def book_site(tmp_path_factory) -> Iterator[Site]:
    """The book, as it was built last: in BOOK_SITE or in _build/html."""
    folder = Path(os.environ.get("BOOK_SITE") or ROOT / "_build" / "html").resolve()
    assert (folder / "index.html").exists(), f"there is no site in {folder}: run `make site` first"
    with served(folder, tmp_path_factory.mktemp("served")) as site:
        yield site


@pytest.fixture(scope="session", params=["sink", "book"])
def site(request) -> Site:
    """Each of the two sites."""
    return request.getfixturevalue(f"{request.param}_site")


@dataclass
class Visitor:
    """A browser window that keeps what it hears: complaints, and requests to other hosts."""

    context: BrowserContext
    heard: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def through(self, site: Site) -> Iterator[tuple[str, Page]]:
        """The pages of a site in one tab, which takes less time than a tab for each."""
        page = None
        for file in site.pages:
            page = self.open(site.url + file, page)
            yield file, page

    def open(self, url: str, page: Page | None = None) -> Page:
        """A page at this address, in a new tab unless there is one."""
        if page:
            page.goto(url)
            return page
        page = self.context.new_page()
        host = url.split("/")[2]

        def requested(request) -> None:
            self.requests.append(request.url)
            if not request.url.startswith("data:") and request.url.split("/")[2] != host:
                self.heard.append(f"{page.url} asks {request.url}")

        def said(message) -> None:
            if message.type in ("error", "warning"):
                self.heard.append(f"{page.url}: {message.text}")

        def failed(request) -> None:
            if request.failure != "net::ERR_ABORTED":  # the test has gone on to another page
                self.heard.append(f"{page.url}: no {request.url} ({request.failure})")

        page.on("request", requested)
        page.on("console", said)
        page.on("pageerror", lambda error: self.heard.append(f"{page.url}: {error}"))
        page.on("requestfailed", failed)
        page.goto(url)
        return page


@pytest.fixture
def visit(browser) -> Iterator:
    """Open visitors with the options of a browser context; in the end none may have complained."""
    visitors: list[Visitor] = []

    def make(width: int = 1400, **options: object) -> Visitor:
        size = {"width": width, "height": 900}
        visitors.append(Visitor(browser.new_context(viewport=size, **options)))
        return visitors[-1]

    yield make
    for visitor in visitors:
        visitor.context.close()
    assert [heard for visitor in visitors for heard in visitor.heard] == []
