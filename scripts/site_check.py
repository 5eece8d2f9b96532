"""Look at a built site as a reader's browser would, and say what is wrong with it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lxml import html

from scripts.sources import Book

# What a page may make a browser load: kilobytes of 1024 bytes, gzip.
BUDGETS = {"HTML": 45, "CSS": 12, "JavaScript": 6}
WIDGET = 12  # of one that comes when its place is near
# What makes a browser fetch something. (Frames, styles, objects and forms cannot be on a page: the
# theme writes none, and its sanitizer and its policy refuse those of others.)
FETCHED = (
    "//@src | //@poster | //@data-esm | //@data-css | //@data-values"
    " | //link[not(@rel = 'canonical')]/@href"
)


class Page:
    """What a page fetches and links to, its anchors, and its images without a description."""

    def __init__(self, path: Path) -> None:
        parser = html.HTMLParser(encoding="utf-8", huge_tree=True)
        find = html.document_fromstring(path.read_bytes(), parser=parser).xpath
        self.anchors = set(find("//@id | //@name"))
        self.fetched, self.links = find(FETCHED), find("//a/@href")
        self.loaded = {
            "CSS": find("//link[@rel = 'stylesheet']/@href"),
            "JavaScript": find("//script/@src"),
        }
        self.widgets = find("//@data-esm")
        self.unclear = [image.get("src") for image in find("//img[not(normalize-space(@alt))]")]


def problems(site: Path, myst: Path, book: Book) -> list[str]:
    """Everything wrong with the site in `site`, made from MyST's output in `myst`; sorted.

    Each page of the table of contents is there, every internal link, image and anchor resolves,
    nothing is fetched from another host, and no page weighs more than its budget.
    """
    site = site.resolve()
    parsed = {path: Page(path) for path in sorted(site.rglob("*.html"))}
    files = page_files(site, myst)
    found = [f"{name}: has no page in the site" for name in book.pages if not files.get(name)]
    for path, page in parsed.items():
        wrong = [f"an image has no description: {src!r:.80}" for src in page.unclear]
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
