"""MyST's syntax tree as HTML: one function per node type, in a registry.

To support a new node type, write a function `(node, page) -> Markup` under `@renders("type")`:
build elements with `el`, which escapes, and descend with `inside`. What a reader would miss
goes to `page.problem`; the build then fails and tells all of them at once.

Prose, blocks, math, code and outputs, references, furniture: in this order.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit

import highlight
import latex
import pictures
from book import Assets, Book, MissingAsset, Problem, page_file, relative
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markup import classes, el, join, sanitized
from markupsafe import Markup

Node = dict[str, Any]
Renderer = Callable[[Node, "Page"], Markup | None]

RENDERERS: dict[str, Renderer] = {}
SCHEMES = frozenset({"http", "https", "mailto", "tel"})
VIDEOS = frozenset({".mp4", ".webm", ".ogv"})
WIDTH = re.compile(r"\d+(\.\d+)?(%|px|em|rem|ch)?$")


class Content(Protocol):
    """Where images, downloads and large outputs come from."""

    def get(self, path: str) -> bytes: ...


@dataclass
class Page:
    """One page while it is rendered: what it belongs to, and what its nodes leave behind."""

    book: Book
    content: Content
    assets: Assets
    slug: str
    source: str
    problems: list[Problem]
    title: str | None = None  # the one from its metadata, where the page does not begin with it
    features: set[str] = field(default_factory=set)  # what it needs scripts and styles for
    outline: list[tuple[int, str, Markup]] = field(default_factory=list)
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
        self.problems.append(Problem(self.source, where, message))

    def url(self, file: str) -> str:
        """The relative URL from this page to a file of the site."""
        return relative(file, self.file)

    def fetch(self, path: str, source: str | None = None) -> bytes:
        """An asset's bytes; a missing one is a problem. `source` is what the author calls it."""
        try:
            return self.content.get(path)
        except MissingAsset:
            self.problem(f"the file {source or path} is missing")
            return b""


def renders(*types: str) -> Callable[[Renderer], Renderer]:
    """Register a function for these node types."""

    def register(function: Renderer) -> Renderer:
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


def text_of(node: Node) -> str:
    """The text of a node, without markup."""
    below = "".join(text_of(child) for child in node.get("children") or ())
    return below or str(node.get("value", ""))


def asset_name(url: str) -> str:
    """A file's name without MyST's hash: ours says the same of the bytes that we write."""
    return re.sub(r"-[0-9a-f]{32}(?=\.)", "", posixpath.basename(url))


def anchor(node: Node) -> str | None:
    """The id that links to this node point to."""
    return node.get("html_id") or node.get("identifier")


# --- Prose ---------------------------------------------------------------------------------------


@renders("root")
def plain(node: Node, page: Page) -> Markup:
    return inside(node, page)


@renders("text")
def text(node: Node, page: Page) -> Markup:
    return join([node.get("value", "")])


def element(tag: str, class_: str | None = None) -> Renderer:
    """A renderer for node types that are one element around their children."""

    def renderer(node: Node, page: Page) -> Markup:
        names = classes(class_, node.get("class"))
        return el(tag, inside(node, page), class_=names, id=anchor(node))

    return renderer


for _type, _tag in {
    "paragraph": "p",
    "emphasis": "em",
    "strong": "strong",
    "delete": "del",
    "underline": "u",
    "subscript": "sub",
    "superscript": "sup",
    "keyboard": "kbd",
    "span": "span",
    "div": "div",
    "blockquote": "blockquote",
    "definitionList": "dl",
    "definitionTerm": "dt",
    "definitionDescription": "dd",
    "summary": "summary",
}.items():
    renders(_type)(element(_tag))
renders("smallcaps")(element("span", "smallcaps"))


@renders("heading")
def heading(node: Node, page: Page) -> Markup:
    depth, name, content = min(node["depth"], 6), anchor(node), inside(node, page)
    if number := node.get("enumerator"):
        content = join([el("span", number, class_="number"), " ", content])
    if not name:
        return el(f"h{depth}", content)
    if 2 <= depth <= 3:
        page.outline.append((depth, name, without_links(content)))
    label = f"Link to the section “{text_of(node)}”"
    link = el("a", "#", class_="anchor", href=f"#{name}", aria_label=label)
    return el(f"h{depth}", content, link, id=name)


def without_links(content: Markup) -> Markup:
    """The markup without links and ids, to stand inside a link elsewhere."""
    return Markup(re.sub(r'</?a\b[^>]*>| id="[^"]*"', "", content))


@renders("inlineCode")
def inline_code(node: Node, page: Page) -> Markup:
    return el("code", node.get("value", ""))


@renders("break")
def line_break(node: Node, page: Page) -> Markup:
    return el("br")


@renders("thematicBreak")
def thematic_break(node: Node, page: Page) -> Markup:
    return el("hr")


@renders("abbreviation")
def abbreviation(node: Node, page: Page) -> Markup:
    return el("abbr", inside(node, page), title=node.get("title"))


@renders("list")
def list_(node: Node, page: Page) -> Markup:
    items = [item for item in node.get("children") or () if item["type"] == "listItem"]
    tight = not node.get("spread") and all(
        sum(child["type"] == "paragraph" for child in item.get("children") or ()) <= 1
        for item in items
    )
    content = join(list_item(item, page, tight=tight) for item in items)
    tasks = "tasks" if any(item.get("checked") is not None for item in items) else None
    if not node.get("ordered"):
        return el("ul", content, class_=classes(tasks, node.get("class")), id=anchor(node))
    start = node.get("start", 1)
    first = None if start == 1 else start
    return el("ol", content, start=first, class_=classes(tasks), id=anchor(node))


@renders("listItem")
def list_item(node: Node, page: Page, *, tight: bool = False) -> Markup:
    box = None
    if node.get("checked") is not None:
        name = text_of(node).strip().split("\n")[0]
        box = el("input", type="checkbox", disabled=True, checked=node["checked"], aria_label=name)
    content = join(
        inside(child, page) if tight and child["type"] == "paragraph" else render(child, page)
        for child in node.get("children") or ()
    )
    return el("li", box, content)


@renders("html")
def raw_html(node: Node, page: Page) -> Markup:
    return sanitized(node["value"])


@renders("raw")
def raw(node: Node, page: Page) -> Markup | None:
    """Raw content for another format (LaTeX, Typst) is not for this page."""
    return sanitized(node.get("value", "")) if node.get("lang") == "html" else None


@renders("comment", "mystTarget", "blockBreak", "bibliography")
def nothing(node: Node, page: Page) -> None:
    """What stands for no text; the works that a page cites are at its end, wherever it asks."""
    return None


@renders("mystDirective", "mystRole", "mystDirectiveError", "mystRoleError")
def unknown(node: Node, page: Page) -> None:
    """What MyST cannot make sense of; all else it has replaced by what it means."""
    reason = node.get("message") or "there is no such directive or role"
    page.problem(f"{{{node.get('name', '')}}}: {reason}")


# --- Blocks --------------------------------------------------------------------------------------


@renders("admonition")
def admonition(node: Node, page: Page) -> Markup:
    kind = node.get("kind", "note")
    names = (node.get("class") or "").split()
    if kind == "admonition":
        kind = next((name for name in names if name != "dropdown"), "note")
    box = f"admonition {kind}"
    return titled_box(node, page, box, folded="dropdown" in names, open_=bool(node.get("open")))


@renders("proof")
def proof(node: Node, page: Page) -> Markup:
    return numbered_box(node, page, node.get("kind", "proof"))


@renders("exercise")
def exercise(node: Node, page: Page) -> Markup | None:
    return None if node.get("hidden") else numbered_box(node, page, "exercise")


@renders("solution")
def solution(node: Node, page: Page) -> Markup | None:
    if node.get("hidden"):
        return None
    folded = "dropdown" in (node.get("class") or "").split()
    return titled_box(node, page, "admonition solution", folded=folded)


def numbered_box(node: Node, page: Page, kind: str) -> Markup:
    """A theorem, an exercise: its kind and number, then the author's title in parentheses."""
    number = node.get("enumerator") if node.get("enumerated", True) and kind != "proof" else None
    folded = "dropdown" in (node.get("class") or "").split()
    heading_ = [kind.capitalize(), f" {number}" if number else ""]
    title, rest = split_title(node)
    if title:
        heading_ += [" (", inside(title, page), ")"]
    return box(node, page, f"admonition {kind}", join(heading_), rest, folded=folded)


def titled_box(
    node: Node, page: Page, class_: str, *, folded: bool = False, open_: bool = False
) -> Markup:
    """An admonition whose title is its first child."""
    title, rest = split_title(node)
    content = inside(title, page) if title else None
    return box(node, page, class_, content, rest, folded=folded, open_=open_)


def split_title(node: Node) -> tuple[Node | None, list[Node]]:
    """The title among a node's children, and the others."""
    children = node.get("children") or []
    title = next((child for child in children if child["type"] == "admonitionTitle"), None)
    return title, [child for child in children if child is not title]


def box(
    node: Node,
    page: Page,
    class_: str,
    title: Markup | None,
    content: list[Node],
    *,
    folded: bool,
    open_: bool = False,
) -> Markup:
    """A box with a title; folded, it opens on the title. The author's own classes come last."""
    own = [name for name in (node.get("class") or "").split() if name != "dropdown"]
    class_ = classes(*dict.fromkeys([*class_.split(), *own]))
    body = join(render(child, page) for child in content)
    if folded:
        # Only one thing can happen at a click on it.
        head = el("summary", without_links(title) if title else "Details", class_="title")
        return el("details", head, body, class_=class_, id=anchor(node), open=open_)
    head = el("p", title, class_="title") if title else None
    return el("div", head, body, class_=class_, id=anchor(node), role="note")


@renders("details")
def details(node: Node, page: Page) -> Markup:
    opened = bool(node.get("open"))
    return el("details", inside(node, page), class_="dropdown", id=anchor(node), open=opened)


@renders("aside")
def aside(node: Node, page: Page) -> Markup:
    return titled_box(node, page, classes("aside", node.get("kind")))


@renders("tabSet")
def tab_set(node: Node, page: Page) -> Markup:
    """Tabs as an exclusive accordion, which needs no script; tabs.js puts real tabs above it."""
    items = [item for item in node.get("children") or () if item["type"] == "tabItem"]
    if not items:
        page.problem("a set of tabs without a tab")
        return Markup()
    page.features.add("tabs")
    chosen = next((item for item in items if item.get("selected")), items[0])
    page.tab_sets += 1
    name = f"tabs-{page.tab_sets}"
    panels = [
        el(
            "details",
            el("summary", item.get("title")),
            el("div", inside(item, page), class_="panel"),
            name=name,
            open=item is chosen,
            data_key=item.get("sync"),
        )
        for item in items
    ]
    return el("div", *panels, class_="tabs", id=anchor(node))


@renders("grid")
def grid(node: Node, page: Page) -> Markup:
    names = f"grid columns-{max(node.get('columns') or [1])}"
    return el("div", inside(node, page), class_=names, id=anchor(node))


renders("grid-item")(element("div"))


@renders("card")
def card(node: Node, page: Page) -> Markup:
    href = link_target(node, page) if node.get("url") else None
    parts = []
    for child in node.get("children") or ():
        if child["type"] == "cardTitle":
            title = inside(child, page)
            parts.append(el("p", el("a", title, href=href) if href else title, class_="title"))
        else:
            parts.append(render(child, page))
    return el("div", *parts, class_=classes("card", "linked" if href else None), id=anchor(node))


@renders("header", "footer")
def card_edge(node: Node, page: Page) -> Markup:
    return el("div", inside(node, page), class_=f"card-{node['type']}")


@renders("container")
def container(node: Node, page: Page) -> Markup:
    """A figure, table, listing or quote with its caption."""
    kind = node.get("kind", "figure")
    names = classes(
        "listing" if kind == "code" else kind,
        "subfigure" if node.get("subcontainer") else None,
        node.get("class"),
    )
    return el("figure", inside(node, page), class_=names, id=anchor(node))


renders("caption")(element("figcaption"))
renders("legend")(element("div", "legend"))


@renders("captionNumber")
def caption_number(node: Node, page: Page) -> Markup:
    content, name = inside(node, page), anchor(node)
    if name:
        return join([el("a", content, class_="number", href=f"#{name}"), " "])
    return join([el("span", content, class_="number"), " "])


@renders("image")
def image(node: Node, page: Page) -> Markup | None:
    """A picture with its description, size and, for a drawing, its dark variant."""
    if node.get("placeholder"):
        return None  # a still picture for paper, of something that the page has itself
    url, alt = node["url"], (node.get("alt") or "").strip()
    if not alt:
        page.problem(f"the image {node.get('urlSource', url)} has no description (alt)")
    if not url.startswith("/"):
        page.problem(f"the image {url} is not in the book: readers would ask another host")
        return None
    content = page.fetch(url, node.get("urlSource"))
    if posixpath.splitext(url)[1].lower() in VIDEOS:
        file = page.assets.add(asset_name(url), content)
        return el("video", src=page.url(file), controls=True, aria_label=alt, id=anchor(node))
    name = asset_name(url)
    width = str(node.get("width") or "")
    style = f"width:{width + 'px' if width.isdigit() else width}" if WIDTH.match(width) else None
    align = node.get("align")
    shown = picture(content, name, alt, page, style=style, align=align)
    # Of two variants only one is seen, so neither can be what a link leads to.
    return el("span", shown, id=anchor(node)) if anchor(node) else shown


def picture(
    content: bytes,
    name: str,
    alt: str,
    page: Page,
    *,
    style: str | None = None,
    align: str | None = None,
) -> Markup:
    """`<img>`; a drawing in the book's neutral colors gets a twin for the dark page."""
    suffix = posixpath.splitext(name)[1].lower()
    measured = pictures.size(content, suffix) if content else None
    width, height = measured or (None, None)
    dark = pictures.dark_variant(content.decode()) if suffix == ".svg" else None
    variants = [("for-light" if dark else "raster" if suffix != ".svg" else None, content, name)]
    if dark:
        stem = posixpath.splitext(name)[0]
        variants.append(("for-dark", dark.encode(), f"{stem}-dark{suffix}"))
    aligned = f"align-{align}" if align else None
    return join(
        el(
            "img",
            src=page.url(page.assets.add(file, data)),
            alt=alt,
            width=width,
            height=height,
            style=style,
            loading="lazy",
            class_=classes(variant, aligned),
        )
        for variant, data, file in variants
    )


@renders("table")
def table(node: Node, page: Page) -> Markup:
    rows = [row for row in node.get("children") or () if row["type"] == "tableRow"]
    is_head = [all(cell.get("header") for cell in row.get("children") or ()) for row in rows]
    count = is_head.index(False) if False in is_head else len(rows)
    titles = rows[:count] if any(text_of(row).strip() for row in rows[:count]) else []
    head, body = ([render(row, page) for row in part] for part in (titles, rows[count:]))
    content = [el("thead", *head) if head else None, el("tbody", *body) if body else None]
    inner = el("table", *content, class_=node.get("class"))
    return el("div", inner, class_="scroll", id=anchor(node))


@renders("tableRow")
def table_row(node: Node, page: Page) -> Markup:
    return el("tr", inside(node, page))


@renders("tableCell")
def table_cell(node: Node, page: Page) -> Markup:
    content = inside(node, page)
    return el(
        "th" if node.get("header") and content else "td",
        content,
        class_=f"align-{node['align']}" if node.get("align") else None,
        colspan=node.get("colspan"),
        rowspan=node.get("rowspan"),
    )


@renders("include", "embed")
def include(node: Node, page: Page) -> Markup:
    return inside(node, page)


@renders("glossary")
def glossary(node: Node, page: Page) -> Markup:
    return el("div", inside(node, page), class_="glossary", id=anchor(node))


@renders("iframe")
def iframe(node: Node, page: Page) -> Markup:
    """A link, with the author's picture where there is one.

    Decided so: a frame would ask another host before its reader has asked for anything.
    """
    address = node.get("src", "")
    if urlsplit(address).scheme not in ("http", "https"):
        page.problem(f"the frame {address!r} is not an address on the web")
    title, host = node.get("title"), urlsplit(address).netloc
    link_ = el("a", f"Open “{title}”" if title else f"Open {host}", href=address)
    still = [
        image({**child, "placeholder": False, "alt": child.get("alt") or title or host}, page)
        for child in node.get("children") or ()
    ]
    words = el("p", link_, f" ({host})" if title else None)
    return el("div", *still, words, class_="elsewhere", id=anchor(node))


@renders("anywidget")
def anywidget(node: Node, page: Page) -> Markup:
    """A widget that needs no kernel: widget.js loads the author's module."""
    page.features.add("widget")
    files = {}
    for key, name in (("esm", "data_module"), ("css", "data_css")):
        url = node.get(key)
        if url and url.startswith("/"):
            files[name] = page.url(page.assets.add(asset_name(url), page.fetch(url)))
        elif url:
            page.problem(f"the widget's file {url} is not in the book")
    text_ = "A widget stands here. It needs JavaScript, and a server to come from."
    fallback = el("p", text_, class_="fallback")
    files["data_model"] = json.dumps(node.get("model") or {}, sort_keys=True)
    names = classes("widget", node.get("class"))
    return el("div", fallback, class_=names, id=anchor(node), **files)


# --- Math ----------------------------------------------------------------------------------------


# In an HTML page the parser knows where MathML belongs.
MATHML = '<math xmlns="http://www.w3.org/1998/Math/MathML">'


def formula(node: Node, page: Page) -> Markup | None:
    """The HTML that KaTeX made inside MyST."""
    if node.get("error") or not node.get("html"):
        reason = node.get("message") or "MyST made no HTML of it"
        page.problem(f"KaTeX refused the formula {node.get('value', '')!r}: {reason}")
        return None
    page.features.add("math")
    return Markup(node["html"].replace(MATHML, "<math>"))


@renders("inlineMath")
def inline_math(node: Node, page: Page) -> Markup | None:
    return formula(node, page)


@renders("math")
def math(node: Node, page: Page) -> Markup:
    name, number = anchor(node), node.get("enumerator")
    parts = [el("div", formula(node, page), class_="scroll")]
    if number and name:
        label = f"Link to equation {number}"
        parts.append(el("a", f"({number})", class_="number", href=f"#{name}", aria_label=label))
    elif number:
        parts.append(el("span", f"({number})", class_="number"))
    return el("div", *parts, class_="math", id=name)


@renders("si")
def quantity(node: Node, page: Page) -> Markup:
    return el("span", node.get("value", ""), class_="nowrap")


@renders("chemicalFormula")
def chemical_formula(node: Node, page: Page) -> Markup:
    """The digits that count atoms stand below the line."""
    parts = re.split(r"(?<=[A-Za-z)\]])(\d+)", node.get("value", ""))
    counted = [el("sub", part) if i % 2 else part for i, part in enumerate(parts)]
    return el("span", *counted, class_="nowrap")


# --- Code and outputs ----------------------------------------------------------------------------

# The first line of a folded cell, which is its title in Colab.
TITLE = re.compile(r"\A# @title (?P<title>.*)\n")


@renders("block")
def block(node: Node, page: Page) -> Markup | None:
    """A notebook's cell, or a part of a page between block breaks."""
    visibility = node.get("visibility")
    if visibility == "remove":
        return None
    kind = (node.get("kind") or "").removeprefix("notebook-")
    page.cell, page.line = (node.get("identifier"), None) if node.get("kind") else (None, page.line)
    if page.cell and kind == "code":
        content = code_cell(node, page)
    else:
        content = inside(node, page)
    page.cell = None
    if visibility == "hide":
        content = folded(summary_of(node, "Cell"), content)
    names = classes("cell" if kind == "code" else None, node.get("class"))
    if not content or not (names or anchor(node)):
        return content
    return el("div", content, id=anchor(node), class_=names)


def code_cell(node: Node, page: Page) -> Markup:
    """A code cell's input and outputs, each shown, folded or left out as its author says."""
    parts = []
    for child in node.get("children") or ():
        content = render(child, page)
        visibility = child.get("visibility")
        if not content or visibility == "remove":
            continue
        if visibility == "hide":
            name = "Output" if child["type"] == "outputs" else summary_of(node, "Code")
            content = folded(name, content)
        parts.append(content)
    return join(parts)


def summary_of(node: Node, default: str) -> str:
    """What a folded cell is called: its first line may say it."""
    codes = [child for child in node.get("children") or () if child["type"] == "code"]
    title = TITLE.match(codes[0].get("value", "")) if codes else None
    return title["title"] if title else default


def folded(name: str, content: Markup) -> Markup:
    return el("details", el("summary", name), content, class_="fold")


@renders("code")
def code(node: Node, page: Page) -> Markup:
    numbered = bool(node.get("showLineNumbers"))
    html = highlight.code(
        TITLE.sub("", node.get("value", "")),
        node.get("lang"),
        numbered=numbered,
        first=node.get("startingLineNumber") or 1,
        emphasized=frozenset(node.get("emphasizeLines") or ()),
    )
    start = (node.get("startingLineNumber") or 1) - 1
    pre = el(
        "pre",
        el("code", html),
        class_="numbered" if numbered else None,
        style=f"counter-set:line {start}" if numbered and start else None,
    )
    file = node.get("filename")
    head = el("p", file, class_="filename") if file else None
    return el("div", head, pre, class_=classes("code", node.get("class")), id=anchor(node))


@renders("myst")
def demonstration(node: Node, page: Page) -> Markup:
    """MyST's demonstration of itself: its source."""
    return code({**node, "lang": "markdown"}, page)


@renders("outputs")
def outputs(node: Node, page: Page) -> Markup | None:
    content = inside(node, page)
    label = "Output"
    return el("div", content, class_="outputs", role="group", aria_label=label) if content else None


@renders("output")
def output(node: Node, page: Page) -> Markup | None:
    """One output: a stream, an error, or the richest representation that the page can show."""
    data = node.get("jupyter_data") or {}
    kind = data.get("output_type")
    if kind == "stream":
        return stream(data, page)
    if kind == "error":
        trace = data.get("traceback") or f"{data.get('ename')}: {data.get('evalue')}"
        trace = trace if isinstance(trace, str) else "\n".join(trace)
        return el("pre", highlight.terminal(trace), class_="error")
    bundle = data.get("data") or {}
    for mime, function in MIME_TYPES.items():
        if mime in bundle:
            return function(node, bundle[mime], page)
    kinds = ", ".join(bundle) or "nothing"
    page.problem(f"an output that the site cannot show; it holds: {kinds}")
    return None


def stream(data: Node, page: Page) -> Markup:
    """What a cell wrote: standard output, or standard error with a label that says so."""
    path = data.get("path")
    content = page.fetch(path).decode() if path else data.get("text", "")
    shown = el("pre", highlight.terminal(content.rstrip("\n")), class_=data.get("name"))
    if data.get("name") != "stderr":
        return shown
    return el("div", el("span", "standard error", class_="label"), shown, class_="labeled")


def text_of_output(item: Node, page: Page) -> str:
    """An output's text: in the tree, or in a file of its own when it is long."""
    return page.fetch(item["path"]).decode() if item.get("path") else item["content"]


def output_omitted(node: Node, item: Node, page: Page) -> None:
    """Widgets (progress bars) need a kernel: they have no place on a static page."""
    return


def output_image(node: Node, item: Node, page: Page) -> Markup:
    """A figure; its description is in the output's metadata, beside its type."""
    mime = item["content_type"]
    metadata = node["jupyter_data"].get("metadata") or {}
    alt = ((metadata.get(mime) or {}).get("alt") or metadata.get("alt") or "").strip()
    if not alt:
        page.problem(f"a figure ({mime}) without a description; show it with one (alt)")
    content = page.fetch(item["path"]) if item.get("path") else item["content"].encode()
    suffix = "." + mime.removeprefix("image/").removesuffix("+xml")
    return picture(content, f"{page.cell or 'figure'}{suffix}", alt, page)


def output_html(node: Node, item: Node, page: Page) -> Markup:
    html = Markup(without_empty_heads(sanitized(text_of_output(item, page))))
    if not html.strip():
        page.problem("an HTML output of which nothing is left without its scripts")
    return el("div", html, class_="html scroll")


def output_markdown(node: Node, item: Node, page: Page) -> Markup:
    return el("div", markdown(text_of_output(item, page), page), class_="markdown")


def output_latex(node: Node, item: Node, page: Page) -> Markup | None:
    """A formula that code has made, as SymPy does."""
    tex = text_of_output(item, page).strip()
    inner = tex.removeprefix("$").removeprefix("$").removesuffix("$").removesuffix("$").strip()
    shown = formula(latex.node(inner, display=True), page)
    return el("div", el("div", shown, class_="scroll"), class_="math") if shown else None


def output_text(node: Node, item: Node, page: Page) -> Markup:
    return el("pre", highlight.terminal(text_of_output(item, page).rstrip("\n")))


MIME_TYPES: dict[str, Callable[[Node, Node, Page], Markup | None]] = {
    "application/vnd.jupyter.widget-view+json": output_omitted,
    "text/latex": output_latex,
    "image/svg+xml": output_image,
    "image/png": output_image,
    "image/jpeg": output_image,
    "image/gif": output_image,
    "image/webp": output_image,
    "text/html": output_html,
    "text/markdown": output_markdown,
    "text/plain": output_text,
}

# HTML inside Markdown outputs is shown as text: they come from code, which has text/html for it.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
# As Pandoc has it: no space just inside the dollars of a formula in a line, no digit after them.
DOLLARS = re.compile(
    r"\$\$(?P<display>.+?)\$\$|\$(?!\s)(?P<inline>(?:\\.|[^$\\])+)(?<!\s)\$(?!\d)", re.DOTALL
)
DISPLAYED = re.compile(r"^\$\$.+?\$\$", re.DOTALL | re.MULTILINE)


def dollars(state: StateInline, silent: bool) -> bool:
    """Markdown-it's rule for formulas between dollars."""
    if not (match := DOLLARS.match(state.src, state.pos)):
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content, token.meta = match[match.lastgroup].strip(), {"display": match["display"]}
    state.pos = match.end()
    return True


def formula_of_output(_, tokens: list[Token], at: int, __, env: dict[str, Page]) -> str:
    """Markdown-it's renderer of formulas; there may be no <div> in the paragraph around it."""
    display = bool(tokens[at].meta["display"])
    shown = formula(latex.node(tokens[at].content, display=display), env["page"])
    return (el("span", shown, class_="scroll") if display else shown) or ""


MARKDOWN.inline.ruler.before("escape", "formula", dollars)
MARKDOWN.add_render_rule("formula", formula_of_output)


def markdown(source: str, page: Page) -> Markup:
    """A Markdown output. MyST has not seen it, so its links and images are not resolved."""
    # A formula on lines of its own is no list, whatever its lines begin with.
    tokens = MARKDOWN.parse(DISPLAYED.sub(lambda match: match[0].replace("\n", " "), source))
    for token in [inner for outer in tokens for inner in (outer, *(outer.children or ()))]:
        target = token.attrGet("href") or token.attrGet("src")
        if token.type == "image" or token.type == "link_open" and not is_absolute(str(target)):
            page.problem(f"a Markdown output points to {target}: only Markdown cells may")
        elif token.type in ("heading_open", "heading_close"):
            token.tag = "p"  # the page's outline knows the author's headings only
            token.attrSet("class", "heading")
    html = without_empty_heads(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {"page": page}))
    scrolling = html.replace("<table>", '<div class="scroll"><table>')
    return Markup(scrolling.replace("</table>", "</table></div>"))


def without_empty_heads(html: str) -> str:
    """A table's empty corner is the head of nothing."""
    return re.sub(r"<th\b([^>]*)>(\s*)</th>", r"<td\1>\2</td>", html)


def is_absolute(url: str) -> bool:
    """Whether a link needs no resolving: to this page's own anchors, or to elsewhere."""
    return url.startswith("#") or urlsplit(url).scheme in SCHEMES


@renders("inlineExpression")
def inline_expression(node: Node, page: Page) -> Markup:
    if (node.get("result") or {}).get("status") == "error" or not node.get("children"):
        page.problem(f"the expression {node.get('value', '')!r} has no value")
    return inside(node, page)


# --- References ----------------------------------------------------------------------------------


def link_target(node: Node, page: Page) -> str | None:
    """Where a link or card leads, seen from this page; None (and a problem) when nowhere."""
    url = node["url"]
    path, hash_, fragment = url.partition("#")
    if node.get("static"):
        content = page.fetch(url, node.get("urlSource"))
        return page.url(page.assets.add(asset_name(url), content))
    if is_absolute(url):
        return url
    file = page.book.file(path) if path.startswith("/") else None
    if file is None:
        source = node.get("urlSource", url)
        page.problem(f"the link to {source} leads neither to a page nor to a file")
        return None
    return page.url(file) + hash_ + quote(fragment)


@renders("link")
def link(node: Node, page: Page) -> Markup:
    href = link_target(node, page)
    download = posixpath.basename(node.get("urlSource", "")) if node.get("static") else None
    content = inside(node, page)
    if not content and href:
        page.problem(f"the link to {node.get('urlSource', node['url'])} has no text")
    return el("a", content, href=href, download=download, class_=node.get("class"))


@renders("crossReference")
def cross_reference(node: Node, page: Page) -> Markup:
    name, content = node.get("html_id") or node.get("identifier"), inside(node, page)
    if not node.get("resolved") or not name:
        page.problem(f"the reference to {node.get('label') or name!r} leads nowhere")
        return content
    if not content:
        page.problem(f"the reference to {node.get('label') or name!r} has no text")
    url = node.get("url") if node.get("remote") else None
    if url and node.get("remoteBaseUrl"):
        target = node["remoteBaseUrl"].rstrip("/") + url
    elif url:
        target = link_target({**node, "url": url}, page) or ""
    else:
        target = ""
    return el("a", content, href=f"{target}#{name}", class_="reference")


@renders("cite")
def cite(node: Node, page: Page) -> Markup:
    content = inside(node, page) or join([node.get("label")])
    return el("a", content, href=f"#cite-{node.get('identifier')}", class_="citation")


@renders("citeGroup")
def cite_group(node: Node, page: Page) -> Markup:
    cites = Markup("; ").join(render(child, page) for child in node.get("children") or ())
    return join(["(", cites, ")"] if node.get("kind") == "parenthetical" else [cites])


@renders("footnoteReference")
def footnote_reference(node: Node, page: Page) -> Markup:
    name = node["identifier"]
    again = page.footnote_references.count(name)
    page.footnote_references.append(name)
    number = node.get("enumerator") or node.get("label") or name
    ref = f"fnref-{name}-{again + 1}" if again else f"fnref-{name}"
    link_ = el("a", number, href=f"#fn-{name}", id=ref, aria_label=f"Footnote {number}")
    return el("sup", link_, class_="footnote")


@renders("footnoteDefinition")
def footnote_definition(node: Node, page: Page) -> None:
    """Kept for the end of the page."""
    page.footnotes[node["identifier"]] = node


# --- Furniture -----------------------------------------------------------------------------------


def footnotes(page: Page) -> Markup | None:
    """The notes that the page refers to, by number; a note may refer to others."""
    seen: set[str] = set()
    items: list[tuple[int, Markup]] = []
    for name in page.footnote_references:  # grows while the notes are rendered
        if name in seen:
            continue
        seen.add(name)
        definition = page.footnotes.get(name)
        if definition is None:
            page.problem(f"the footnote {name!r} has no text")
            continue
        number = str(definition.get("enumerator") or "")
        value = int(number) if number.isdecimal() else None
        back = el("a", "↩", href=f"#fnref-{name}", aria_label="Back to the text")
        item = el("li", inside(definition, page), back, id=f"fn-{name}", value=value)
        items.append((value or len(items) + 1, item))
    if not items:
        return None
    notes = [item for _, item in sorted(items, key=lambda item: item[0])]
    return el("section", el("ol", *notes), class_="footnotes", aria_label="Footnotes")


def bibliography(references: Node, page: Page) -> Markup | None:
    """The works that the page cites."""
    cited = references.get("cite") or {}
    data = cited.get("data") or {}
    works = [data[name] for name in cited.get("order") or () if name in data]
    items = [el("li", sanitized(work["html"]), id=f"cite-{work['label']}") for work in works]
    if not items:
        return None
    title = el("h2", "References", id="references-list")
    return el("section", title, el("ol", *items), class_="bibliography")


# The parts of a paper that its metadata may hold, and that stand before the text.
FIRST_PARTS = ("dedication", "epigraph", "abstract", "summary", "keypoints")


def part(name: str, node: Node, page: Page) -> Markup:
    """A part of a paper that has its text in the metadata, such as an abstract."""
    title = el("p", name.replace("_", " ").capitalize(), class_="title")
    return el("section", title, render(node["mdast"], page), class_=f"aside {name}")


def article(document: Node, page: Page) -> Markup:
    """The HTML of a page's document: its tree, then its footnotes and references."""
    front = document.get("frontmatter") or {}
    if not front.get("content_includes_title"):
        page.title = front.get("title")
    parts = {name: part(name, node, page) for name, node in (front.get("parts") or {}).items()}
    first = [parts.pop(name) for name in FIRST_PARTS if name in parts and page.title]
    content = join([*first, render(document["mdast"], page), *parts.values()])
    end = [footnotes(page), bibliography(document.get("references") or {}, page)]
    whole = join([content, *end])
    page.line = None
    check_anchors(whole, page)
    return whole


def check_anchors(whole: Markup, page: Page) -> None:
    """Each id on a page stands once, and each link to an id of its own page finds it."""
    counts = Counter(re.findall(r' id="([^"]*)"', whole))
    for name, count in counts.items():
        if count > 1:
            page.problem(f"{count} things are labeled {name!r}: links would reach the first only")
    for name in dict.fromkeys(re.findall(r' href="#([^"]+)"', whole)):
        # A note without text has been told of already.
        if unquote(name) not in counts and not name.startswith("fn-"):
            page.problem(f"a link leads to {name!r}, but nothing on the page has that id")
