"""The whole book on one page, to print or to keep, and as a PDF."""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote, unquote

from markupsafe import Markup

FILE = "book.html"
PDF = "book.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NAMES = "id|name|href|src|aria-labelledby|data-esm|data-css|data-values"
ATTRIBUTE = re.compile(rf' ({NAMES})="([^"]*)"| loading="lazy"')
# A tag that may have one of them: most tags are parts of formulas and have none.
TAG = re.compile(rf'<[a-zA-Z][^<>]* (?:{NAMES}|loading)="[^<>]*>')


def chapter(article: Markup, file: str) -> Markup:
    """A page's article for the whole book: its ids made unique, its links led to them.

    Text cannot be mistaken for a tag: no text here has a bare `<`.
    """
    folder = posixpath.dirname(file)

    def rewritten(match: re.Match[str]) -> str:
        name, value = match[1], match[2]
        if name is None:
            return ""  # everything is printed, so nothing waits until it is scrolled to
        if name in ("id", "name", "aria-labelledby"):
            return f' {name}="{place(file, value)}"'
        path, _, fragment = value.partition("#")
        if ":" in path:
            return match[0]
        target = posixpath.normpath(posixpath.join(folder, unquote(path))) if path else file
        if target.endswith(".html"):
            return f' {name}="#{place(target, fragment)}"'
        return f' {name}="{quote(target)}"'

    return Markup(TAG.sub(lambda tag: ATTRIBUTE.sub(rewritten, tag[0]), article))


def place(file: str, name: str = "") -> str:
    """The id in the whole book of what has the id `name` on the page in `file`."""
    page = file.removesuffix(".html").replace("/", ".")
    return f"{page}..{name}" if name else page


def browser() -> str | None:
    """A Chromium, if there is one. The variable BOOK_BROWSER may name it."""
    names = [os.environ.get("BOOK_BROWSER", ""), *BROWSERS]
    return next((found for name in names if name and (found := shutil.which(name))), None)


def print_pdf(site: Path, program: str) -> None:
    """Print the whole book in `site` to a PDF beside it. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory(prefix="book-pdf-") as profile:
        command = [program, "--headless", "--disable-gpu", f"--user-data-dir={profile}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium's sandbox refuses root, as in containers
        command += ["--no-pdf-header-footer", f"--print-to-pdf={site / PDF}"]
        command += ["--generate-pdf-document-outline", (site / FILE).as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
    content = (site / PDF).read_bytes()
    # The clock must not change the file.
    (site / PDF).write_bytes(re.sub(rb"/(CreationDate|ModDate) \([^)]*\)", _undated, content))


def _undated(match: re.Match[bytes]) -> bytes:
    """A date of the same length, because a PDF counts its bytes."""
    return re.sub(rb"\d", b"0", match[0])
