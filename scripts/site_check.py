"""Look at a built site as a reader's browser would, and say what is wrong with it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scripts.sources import Book

# What a page may make a browser load: kilobytes of 1024 bytes, gzip.
BUDGETS = {"HTML": 45, "CSS": 12, "JavaScript": 6}
WIDGET = 12  # of one that comes when its place is near
# Attributes that make a browser fetch something. (Frames, styles, objects and forms cannot be on a
# page: the theme writes none, and its sanitizer and its policy refuse those of others.)
FETCHED = ("src", "poster", "data-esm", "data-css", "data-values")


@dataclass
class Page(HTMLParser):
    """What a page fetches and links to, its anchors, and its images without a description."""

    fetched: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    loaded: dict[str, list[str]] = field(default_factory=lambda: {"CSS": [], "JavaScript": []})
    widgets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        self.fetched += [values[name] for name in FETCHED if name in values]
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and values.get("rel") != "canonical":
            self.fetched.append(values["href"])
        if tag == "link" and values.get("rel") == "stylesheet":
            self.loaded["CSS"].append(values["href"])
        if tag == "script" and "src" in values:
            self.loaded["JavaScript"].append(values["src"])
        if "data-esm" in values:
            self.widgets.append(values["data-esm"])
        if tag == "img" and not values.get("alt", "").strip():
            self.problems.append(f"an image has no description: {values.get('src')!r:.80}")


def problems(site: Path, myst: Path, book: Book) -> list[str]:
    """Everything wrong with the site in `site`, made from MyST's output in `myst`; sorted.

    Each page of the table of contents is there, every internal link, image and anchor resolves,
    nothing is fetched from another host, and no page weighs more than its budget.
    """
    site = site.resolve()
    parsed: dict[Path, Page] = {}
    for path in sorted(site.rglob("*.html")):
        page = parsed[path] = Page()
        page.feed(path.read_text(encoding="utf-8"))
    files = page_files(site, myst)
    found = [f"{name}: has no page in the site" for name in book.pages if not files.get(name)]
    for path, page in parsed.items():
        wrong = [*page.problems]
        for url in page.fetched + page.links:
            wrong += _unresolved(url, path, site, parsed, is_fetched=url in page.fetched)
        if path in files.values():
            wrong += _overweight(path, page)
        found += [f"{path.relative_to(site).as_posix()}: {each}" for each in wrong]
    return sorted(set(found))


def page_files(site: Path, myst: Path) -> dict[str, Path | None]:
    """The HTML file of each source file; None where there is none."""
    found: dict[str, Path | None] = {}
    for path in sorted((myst / "content").glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        file = site / f"{document['slug'].replace('.', '/')}.html"
        found[document["location"].lstrip("/")] = file if file.is_file() else None
    return found


def weight(content: bytes) -> int:
    """Bytes on the way to the reader, where a server compresses."""
    return len(gzip.compress(content, 9, mtime=0))


def over_budget(sizes: dict[str, int]) -> list[str]:
    """What is wrong with the bytes that a page loads of each kind (see BUDGETS)."""
    return [
        f"{size / 1024:.1f} KB of {kind} (gzip); at most {BUDGETS[kind]} KB"
        for kind, size in sizes.items()
        if size > BUDGETS[kind] * 1024
    ]


def _overweight(path: Path, page: Page) -> list[str]:
    """The problems with what a page weighs, as far as they are known without a browser."""

    def size(url: str) -> int:
        file = path.parent / unquote(url)
        return weight(file.read_bytes()) if file.is_file() else 0  # its absence is told elsewhere

    sizes = {kind: sum(map(size, urls)) for kind, urls in page.loaded.items()}
    large = [url for url in page.widgets if size(url) > WIDGET * 1024]
    found = [f"the widget {url} has more than {WIDGET} KB (gzip)" for url in large]
    return over_budget({"HTML": weight(path.read_bytes()), **sizes}) + found


def _unresolved(
    url: str, path: Path, site: Path, parsed: dict[Path, Page], *, is_fetched: bool
) -> Iterator[str]:
    """The problem with one address on one page, if there is one."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        if is_fetched and parts.scheme != "data":
            yield f"fetches from another host: {url}"
        return
    if parts.path.startswith("/"):
        yield f"an address is not relative: {url}"
        return
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_relative_to(site):
        yield f"leads out of the site: {url}"
    elif not target.is_file():
        yield f"leads nowhere: {url}"
    elif parts.fragment and target in parsed:
        if unquote(parts.fragment) not in parsed[target].anchors:
            yield f"leads to a missing anchor: {url}"
