"""Look at a built site as a reader's browser would, and say what is wrong with it."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scripts.sources import Book

# Where a page makes the browser fetch something, by tag. `a` is left out: it waits for a click.
FETCHED = {
    "audio": ["src"],
    "embed": ["src"],
    "form": ["action"],
    "iframe": ["src"],
    "image": ["href", "xlink:href"],
    "img": ["src", "srcset"],
    "input": ["src"],
    "link": ["href"],
    "object": ["data"],
    "script": ["src"],
    "source": ["src", "srcset"],
    "track": ["src"],
    "use": ["href", "xlink:href"],
    "video": ["src", "poster"],
}
WIDGET_FILES = ("data-esm", "data-css", "data-values")
# Links that name a page instead of fetching it.
NAMING = {"alternate", "author", "bookmark", "canonical", "help", "license", "next", "prev"}
CSS_URL = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")

# What a page may make a browser load: kilobytes of 1024 bytes, gzip.
BUDGETS = {"HTML": 45, "CSS": 12, "JavaScript": 6}
WIDGET = 12  # of one that comes when its place is near


@dataclass
class Page(HTMLParser):
    """What a page fetches and links to, its anchors, and its images without a description."""

    fetched: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    loaded: dict[str, list[str]] = field(default_factory=lambda: {"CSS": [], "JavaScript": []})
    widgets: list[str] = field(default_factory=list)
    _in_style: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag in ("a", "area") and "href" in values:
            self.links.append(values["href"])
        names_a_page = NAMING & set(values.get("rel", "").split())
        for name in FETCHED.get(tag, []):
            if name in values and not (tag == "link" and names_a_page):
                candidates = values[name].split(",") if name == "srcset" else [values[name]]
                self.fetched += [each.split()[0] for each in candidates if each.strip()]
        self.fetched += _css_urls(values.get("style", ""))
        self.fetched += [values[name] for name in WIDGET_FILES if name in values]
        self.widgets += [values["data-esm"]] if "data-esm" in values else []
        if tag == "script" and "src" in values:
            self.loaded["JavaScript"].append(values["src"])
        elif tag == "link" and values.get("rel") == "stylesheet":
            self.loaded["CSS"].append(values["href"])
        if tag == "img" and not values.get("alt", "").strip():
            if values.get("role") != "presentation" and values.get("aria-hidden") != "true":
                self.problems.append(f"an image has no description: {values.get('src')!r:.80}")
        if "katex-error" in values.get("class", ""):
            self.problems.append(f"a formula that KaTeX refused: {values.get('title', '')}")

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.fetched += _css_urls(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False


def _css_urls(text: str) -> list[str]:
    return [first or second for first, second in CSS_URL.findall(text)]


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
    found += _references(site, parsed)
    for path in files.values():
        if path:
            name = path.relative_to(site).as_posix()
            found += [f"{name}: {problem}" for problem in _overweight(path, parsed[path])]
    return sorted(set(found))


def page_files(site: Path, myst: Path) -> dict[str, Path | None]:
    """The HTML file of each source file; None where there is none."""
    found: dict[str, Path | None] = {}
    for path in sorted((myst / "content").glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        slug = document["slug"].replace(".", "/")
        candidates = [site / f"{slug}.html", site / slug / "index.html"]
        exists = (candidate for candidate in candidates if candidate.is_file())
        found[document["location"].lstrip("/")] = next(exists, None)
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

    def read(url: str) -> bytes:
        file = path.parent / unquote(url)
        return file.read_bytes() if file.is_file() else b""  # its absence is told elsewhere

    content = path.read_bytes()
    sizes = {"HTML": weight(content)}
    for kind, urls in page.loaded.items():
        sizes[kind] = sum(weight(read(url)) for url in urls)
    large = [url for url in page.widgets if weight(read(url)) > WIDGET * 1024]
    found = [f"the widget {url} has more than {WIDGET} KB (gzip)" for url in large]
    return over_budget(sizes) + found


def _references(site: Path, parsed: dict[Path, Page]) -> Iterator[str]:
    """Problems of the links, images, scripts, styles and fonts of every page and stylesheet."""
    for path, page in parsed.items():
        name = path.relative_to(site)
        yield from (f"{name}: {problem}" for problem in page.problems)
        for url in page.fetched:
            yield from _unresolved(url, path, site, parsed, is_fetched=True)
        for url in page.links:
            yield from _unresolved(url, path, site, parsed, is_fetched=False)
    for path in sorted(site.rglob("*.css")):
        for url in _css_urls(path.read_text(encoding="utf-8")):
            yield from _unresolved(url, path, site, parsed, is_fetched=True)


def _unresolved(
    url: str, path: Path, site: Path, parsed: dict[Path, Page], *, is_fetched: bool
) -> Iterator[str]:
    """The problem with one address on one page, if there is one."""
    name = path.relative_to(site)
    parts = urlsplit(url)
    if parts.scheme == "data":
        return
    if parts.scheme or parts.netloc:
        if is_fetched:
            yield f"{name}: fetches from another host: {url}"
        return
    if parts.path.startswith("/"):
        yield f"{name}: an address is not relative: {url}"
        return
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_relative_to(site):
        yield f"{name}: leads out of the site: {url}"
    elif not target.is_file():
        yield f"{name}: leads nowhere: {url}"
    elif parts.fragment and target in parsed and not is_fetched:
        if unquote(parts.fragment) not in parsed[target].anchors:
            yield f"{name}: leads to a missing anchor: {url}"
