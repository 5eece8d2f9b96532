"""A content server that is a dictionary, and pages to render nodes on."""

from __future__ import annotations

import json
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from theme.book import Assets, Book, MissingAsset
from theme.mystast import Page

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" viewBox="0 0 40 20">'
    '<rect width="40" height="20" fill="#ffffff"/><path d="M0 0 40 20" stroke="#1b1f24"/></svg>'
)


class Files(dict):
    """What a page fetches, by path."""

    def get(self, path: str) -> bytes:
        if path not in self:
            raise MissingAsset(path)
        return self[path]


CONFIG = {
    "options": {
        "branch": "main",
        "palette": "#1b1f24 #e6edf3, #ffffff #0f1318",
        "cell_title": "# @title",
    },
    "projects": [
        {
            "title": "The book",
            "github": "https://github.com/someone/book",
            "authors": [{"name": "A. Author"}],
            "license": {"content": {"id": "CC-BY-4.0", "url": "https://example.org/license"}},
            "index": "index",
            "pages": [
                {"slug": "part.index", "title": "Part", "level": 1},
                {"slug": "part.one", "title": "One & only", "level": 2},
                {"title": "More", "level": 1},
                {"slug": "two", "title": "Two", "level": 2},
            ],
        }
    ],
}


@pytest.fixture
def drawing() -> str:
    """A drawing in the book's neutral colors, 40 by 20."""
    return DRAWING


@pytest.fixture(scope="session")
def config() -> dict:
    """The configuration of a book of four pages."""
    return CONFIG


@pytest.fixture
def make_page(tmp_path):
    """Pages of a book, with files to fetch."""

    def make(files: dict[str, bytes] | None = None, slug: str = "part.one") -> Page:
        book, assets = Book(CONFIG, "Home"), Assets(tmp_path)
        return Page(book, Files(files or {}), assets, slug, "content/one.ipynb", [])

    return make


def document(slug: str, *nodes: dict, title: str = "A title", source: str | None = None) -> dict:
    """A page as the content server tells it."""
    return {
        "slug": slug,
        "location": source or f"/content/{slug.replace('.', '/')}.md",
        "frontmatter": {"title": title, "content_includes_title": False, "exports": []},
        "mdast": {"type": "root", "children": list(nodes)},
        "references": {"cite": {"order": [], "data": {}}},
    }


@pytest.fixture
def content_server():
    """MyST's content server, played: `server.files` may be changed while it runs.

    `server.put(slug, *nodes)` gives a page other content.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            content = self.server.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("localhost", 0), Handler)
    server.daemon_threads = True
    server.url = f"http://localhost:{server.server_port}"
    server.files = {
        "/": b"{}",
        "/config.json": json.dumps(CONFIG).encode(),
        "/myst.xref.json": b'{"references": []}',
        "/objects.inv": b"# Sphinx inventory version 2\n#\n#\n#\n" + zlib.compress(b""),
    }

    def put(slug: str, *nodes: dict, **keys: str) -> None:
        server.files[f"/content/{slug}.json"] = json.dumps(document(slug, *nodes, **keys)).encode()

    server.put = put
    for slug in ("index", "part.index", "part.one", "two"):
        server.put(slug)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
