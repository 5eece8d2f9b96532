"""The book as MyST's content server tells it: its pages, their order, their files and links."""

from __future__ import annotations

import hashlib
import os
import posixpath
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit
from urllib.request import ProxyHandler, build_opener


class MissingAsset(LookupError):
    """The content server has nothing under this path."""


class ContentServer:
    """MyST's content server, which is on this machine: no proxy stands between."""

    def __init__(self, url: str):
        self._url = url
        self._open = build_opener(ProxyHandler({})).open

    def get(self, path: str) -> bytes:
        """The bytes under `path`. Raises MissingAsset, or OSError when the server is gone."""
        try:
            with self._open(self._url + quote(path), timeout=60) as answer:
                return answer.read()
        except HTTPError:
            raise MissingAsset(path) from None


class Assets:
    """Files beside the pages, each named by its content: `assets/name.hash.ext`."""

    def __init__(self, site: Path):
        self._site = site

    def add(self, name: str, content: bytes) -> str:
        """Write the file once; returns its path from the site's root."""
        stem, suffix = posixpath.splitext(name)
        path = f"assets/{stem}.{hashlib.sha256(content).hexdigest()[:10]}{suffix}"
        target = self._site / path
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            # The preview may be sending it to a browser while another page asks for it again.
            part = target.with_name(f"{os.getpid()}-{threading.get_ident()}.part")
            part.write_bytes(content)
            part.replace(target)
        return path


@dataclass
class Entry:
    """A line of the table of contents: a page, a link to elsewhere, or only a title."""

    title: str
    slug: str = ""
    url: str | None = None
    above: list[Entry] = field(default_factory=list, repr=False, compare=False)
    children: list[Entry] = field(default_factory=list)

    @property
    def file(self) -> str | None:
        """The file of its page, from the site's root."""
        return page_file(self.slug) if self.slug else None


SCHEMES = frozenset({"http", "https", "mailto", "tel"})


def is_absolute(url: str) -> bool:
    """Whether an address leads elsewhere, by one of the schemes that do no more than that."""
    return urlsplit(url).scheme in SCHEMES


def page_file(slug: str) -> str:
    """The file of a page: `mlp.index` is `mlp/index.html`, `mlp.intro` is `mlp/intro.html`.

    Links name the file, so that they work without a server too.
    """
    return slug.replace(".", "/") + ".html"


def page_url(slug: str) -> str:
    """MyST's address of a page, as it stands in links of the syntax tree."""
    return "/" + slug.removesuffix(".index").replace(".", "/")


def relative(target: str, source: str) -> str:
    """The URL of the file `target` as seen from the file `source`, both from the site's root."""
    return quote(posixpath.relpath(target, posixpath.dirname(source) or "."))


def palette(text: str) -> dict[str, str]:
    """The colors of drawings in the light, each with the one in the dark, from `#111 #eee, ...`."""
    pairs = [pair.lower().split() for pair in text.split(",") if pair.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"palette: pairs of colors are needed, `#111 #eee, ...`, not {text!r}")
    return dict(pairs)


class Book:
    """What every page needs to know of the whole: titles, order, where each address leads."""

    def __init__(
        self, config: dict[str, Any], index_title: str, titles: dict[str, str] | None = None
    ):
        """`titles` are in plain text, by slug, where MyST has the TeX of formulas in them."""
        project, options = config["projects"][0], config.get("options") or {}
        self.title: str = project.get("title") or index_title
        self.language: str = options.get("language") or "en"
        self.palette = palette(options.get("palette") or "")
        self.cell_title: str | None = options.get("cell_title")
        self.pdf: str | None = options.get("pdf")
        github: str = project.get("github") or ""
        self.github = github.rstrip("/")
        self.branch: str = options.get("branch") or "main"
        self.license: dict[str, Any] = (project.get("license") or {}).get("content") or {}
        self.authors: list[str] = [author["name"] for author in project.get("authors") or []]
        self.index: str = project["index"]
        self.entries = [Entry(index_title, self.index), *_entries(project["pages"], titles or {})]
        self.contents = [entry for entry in self.entries if not entry.above]
        self.pages = [entry for entry in self.entries if entry.slug]
        self.url: str = str(options.get("url") or "").rstrip("/")
        self.description: str | None = project.get("description")
        self._files = {page_url(page.slug): page_file(page.slug) for page in self.pages}
        self._files["/"] = page_file(self.index)
        self._places = {page.slug: place for place, page in enumerate(self.pages)}

    def unsafe_addresses(self) -> list[str]:
        """What the book's configuration links to, but is no address to follow."""
        license_ = self.license.get("url")
        urls = [*(entry.url for entry in self.entries), license_, self.github, self.url]
        return [url for url in urls if url and not is_absolute(url)]

    def file(self, url: str) -> str | None:
        """The file of the page under MyST's address `url`, or None where there is no page."""
        return self._files.get(url.rstrip("/") or "/")

    def neighbors(self, slug: str) -> tuple[Entry | None, Entry | None]:
        """The pages before and after this one."""
        at = self._places[slug]
        before = self.pages[at - 1] if at else None
        return before, self.pages[at + 1] if at + 1 < len(self.pages) else None

    def trail(self, slug: str) -> list[Entry]:
        """The entries from the top of the table of contents down to this page."""
        page = self.pages[self._places[slug]]
        return [*page.above, page]

    def address(self, file: str) -> str | None:
        """The absolute address of a file of the site, where the book's own address is known."""
        file = "" if file == "index.html" else file
        return f"{self.url}/{quote(file)}" if self.url else None


def _entries(pages: list[dict[str, Any]], titles: dict[str, str]) -> list[Entry]:
    """MyST's list with levels; each entry has those above and below it."""
    found: list[Entry] = []
    trail: list[tuple[int, Entry]] = []
    for page in pages:
        slug = page.get("slug") or ""
        title = page.get("short_title") or titles.get(slug, page.get("title", ""))
        trail = [(level, entry) for level, entry in trail if level < page["level"]]
        entry = Entry(title, slug, page.get("url"), [entry for _, entry in trail])
        if trail:
            trail[-1][1].children.append(entry)
        trail.append((page["level"], entry))
        found.append(entry)
    return found
