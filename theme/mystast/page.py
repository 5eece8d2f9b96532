"""A page while it is rendered, and the registry of the functions that render its nodes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from xml.etree import ElementTree

from markupsafe import Markup

from .. import pictures
from ..book import Assets, Book, ContentServer, MissingAsset, page_file, relative
from ..markup import join

Node = dict[str, Any]
Renderer = Callable[[Node, "Page"], Markup | None]

AnyRenderer = TypeVar("AnyRenderer", bound=Renderer)
RENDERERS: dict[str, Renderer] = {}


@dataclass
class Page:
    """One page while it is rendered: what it belongs to, and what its nodes leave behind."""

    book: Book
    content: ContentServer
    assets: Assets
    slug: str
    source: str
    problems: list[str]
    title: str | None = None  # the one from its metadata, where the page does not begin with it
    features: set[str] = field(default_factory=set)  # what it needs scripts and styles for
    outline: list[tuple[int, str, Markup]] = field(default_factory=list)
    macros: dict[str, str] = field(default_factory=dict)  # of formulas
    footnotes: dict[str, Node] = field(default_factory=dict)
    footnote_references: list[str] = field(default_factory=list)
    tab_sets: int = 0
    cell: str | None = None
    line: int | None = None

    @property
    def file(self) -> str:
        """The page's own file, from the site's root."""
        return page_file(self.slug)

    def problem(self, message: str) -> None:
        """Note something that the reader would miss. The build fails in the end.

        Not every node knows its line, so the line is that of the last one that did. In a
        notebook, MyST counts lines from the start of the cell.
        """
        where = f":{self.line}" if self.line else ""
        if self.cell:
            where = f", cell {self.cell}" + (f", line {self.line}" if self.line else "")
        self.problems.append(f"{self.source}{where}: {message}")

    def url(self, file: str) -> str:
        """The relative URL from this page to a file of the site."""
        return relative(file, self.file)

    def fetch(self, path: str, source: str | None = None) -> bytes | None:
        """An asset's bytes; a missing one is a problem. `source` is what the author calls it."""
        try:
            return self.content.get(path)
        except MissingAsset:
            self.problem(f"the file {source or path} is missing")
            return None

    def publish(self, name: str, content: bytes) -> str:
        """The relative URL of a file that is added to the site. A drawing must be harmless."""
        if name.lower().endswith(".svg"):
            try:
                pictures.check_svg(content)
            except ValueError as error:
                self.problem(f"the drawing {name} {error}")
        return self.url(self.assets.add(name, content))


def renders(*types: str) -> Callable[[AnyRenderer], AnyRenderer]:
    """Register a function for these node types."""

    def register(function: AnyRenderer) -> AnyRenderer:
        for name in types:
            if name in RENDERERS:
                raise ValueError(f"two functions render the node type {name!r}")
            RENDERERS[name] = function
        return function

    return register


def render(node: Node, page: Page) -> Markup:
    """The HTML of a node and of everything in it."""
    page.line = node.get("position", {}).get("start", {}).get("line") or page.line
    function = RENDERERS.get(node["type"])
    if function is None:
        keys = ", ".join(sorted(set(node) - {"type", "position", "key"}))
        page.problem(f"no function renders the node type {node['type']!r} (keys: {keys})")
        return Markup()
    return function(node, page) or Markup()


def inside(node: Node, page: Page) -> Markup:
    """The HTML of a node's children."""
    return join(render(child, page) for child in node.get("children") or ())


def walk(node: Node) -> Iterator[Node]:
    """A node and all that are in it, in the order of the text."""
    yield node
    for child in node.get("children") or ():
        yield from walk(child)


def text_of(node: Node) -> str:
    """The text of a node, without markup."""
    if node["type"] in ("inlineMath", "math"):
        return words_of(node)
    below = "".join(text_of(child) for child in node.get("children") or ())
    return below or str(node.get("value", ""))


def words_of(formula: Node) -> str:
    """A formula in plain text, from the MathML that KaTeX has made; else its TeX."""
    found = re.search(r"<semantics>.*?(?=<annotation)", formula.get("html") or "", re.DOTALL)
    return written(ElementTree.fromstring(f"{found[0]}</semantics>")) if found else formula["value"]


def written(element: ElementTree.Element) -> str:
    """An element of MathML in plain text."""
    marks = {"mfrac": "/", "msub": "_", "msup": "^"}
    between = marks.get(element.tag.rpartition("}")[2], "")
    return (element.text or "").strip() + between.join(map(written, element))


def asset_name(url: str) -> str:
    """A file's name without MyST's hash: ours says the same of the bytes that we write."""
    return re.sub(r"-[0-9a-f]{32}(?=\.)", "", posixpath.basename(url))


def joined(text: str | list[str]) -> str:
    """Text as a notebook may have it: in one piece, or as a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def anchor(node: Node) -> str | None:
    """The id that links to this node point to."""
    return node.get("html_id") or node.get("identifier")
