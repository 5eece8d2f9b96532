"""The preview: pages rendered when they are asked for, reloaded when MyST has rebuilt them."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from . import whole
from .book import ContentServer, MissingAsset, page_file
from .markup import el

POLL_SECONDS = 1.0


class Preview(SimpleHTTPRequestHandler):
    """Pages come fresh from the content server; assets from the folder they were written to."""

    def __init__(self, *arguments, open_site: Callable, **options):
        self.open_site = open_site
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].partition("#")[0].lstrip("/")
        if path.startswith("assets/"):
            return super().do_GET()
        if not path or path.endswith("/"):
            path += "index.html"
        try:
            answer = self._page(path, self.open_site())
        except (OSError, MissingAsset) as error:
            answer = 503, f"MyST is not ready: {error}".encode(), "text/plain"
        except (Exception, SystemExit) as error:  # who writes the page has to see what is wrong
            reason = "".join(traceback.format_exception_only(error))
            answer = 500, f"This page cannot be shown: {reason}".encode(), "text/plain"
        with suppress(ConnectionError):  # the browser has gone on to another page
            self._answer(*answer)

    def _page(self, path: str, site: Any) -> tuple[int, bytes, str]:
        """The answer for a page: status, content, type. Problems stand on top of it."""
        if path == whole.FILE:
            chapters = (site.write_page(entry.slug) for entry in site.book.pages)
            return 200, "".join(site.whole(chapters)).encode(), "text/html"
        files = {page_file(entry.slug): entry.slug for entry in site.book.pages}
        if path not in files:
            return 404, site.not_found().encode(), "text/html"
        _, html, _ = site.render(files[path])
        if site.problems:
            items = [el("li", problem) for problem in site.problems]
            html = html.replace("<main", el("ul", *items, class_="problems") + "<main", 1)
        return 200, html.encode(), "text/html"

    def _answer(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """MyST shows whatever we print."""


def serve(site: Callable) -> int:
    """Serve on HOST:PORT until MyST's content server (CONTENT_CDN_PORT) is gone."""
    host, port = os.environ.get("HOST") or "localhost", int(os.environ["PORT"])
    content_port = os.environ["CONTENT_CDN_PORT"]
    content = ContentServer(f"http://localhost:{content_port}")
    with TemporaryDirectory(prefix="book-preview-") as folder:
        handler = partial(
            Preview,
            directory=folder,
            open_site=partial(
                site, content, folder=Path(folder), live=f"ws://localhost:{content_port}"
            ),
        )
        server = ThreadingHTTPServer((host, port), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"Serving on http://{host}:{port}", flush=True)  # MyST waits for this line
        wait_for_end(content)
        server.shutdown()
    return 0


def wait_for_end(content: ContentServer) -> None:
    """Return once the content server no longer answers: MyST ends without ending us."""
    while True:
        time.sleep(POLL_SECONDS)
        try:
            content.get("/")
        except OSError:
            return
