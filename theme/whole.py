"""The whole book on one page, to print or to keep."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import quote, unquote

from markupsafe import Markup

FILE = "book.html"
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
