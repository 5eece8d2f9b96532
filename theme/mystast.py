"""MyST's syntax tree as HTML: one function per node type, in a registry.

To support a new node type, write a function `(node, page) -> Markup` under `@renders("type")`:
build elements with `el`, which escapes, and descend with `inside`. What a reader would miss
goes to `page.problem`; the build then fails and tells all of them at once.

Prose, blocks, math, code and outputs, references, furniture: in this order.
"""

from __future__ import annotations

import base64
import json
import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit

import highlight
import latex
import pictures
from book import Assets, Book, MissingAsset, Problem, is_absolute, page_file, relative
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markup import classes, el, join, sanitized
from markupsafe import Markup

Node = dict[str, Any]
Renderer = Callable[[Node, "Page"], Markup | None]

RENDERERS: dict[str, Renderer] = {}
VIDEOS = frozenset({".mp4", ".webm", ".ogv"})
# A length as authors write it: a number alone is one of pixels.
LENGTH = re.compile(
    r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(%|px|em|rem|ex|ch|vw|vh|vmin|vmax|cm|mm|in|pt|pc)?\s*", re.I
)
# What MyST leaves of a footnote's reference whose text it has not found: in a notebook it looks
# for it in the same cell only.
LOST_NOTE = re.compile(r"\[\^[\w.:-]+\]")


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
        self.problems.append(Problem(self.source, where, message))

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


def joined(text: str | list[str]) -> str:
    """Text as a notebook may have it: in one piece, or as a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def anchor(node: Node) -> str | None:
    """The id that links to this node point to."""
    return node.get("html_id") or node.get("identifier")


# --- Prose ---------------------------------------------------------------------------------------


@renders("root")
def plain(node: Node, page: Page) -> Markup:
    return inside(node, page)


@renders("text")
def text(node: Node, page: Page) -> Markup:
    value = node.get("value", "")
    if found := LOST_NOTE.search(value):
        hint = "a notebook's cell needs its own; if none is meant, write it as code"
        page.problem(f"{found[0]} has no note ({hint})")
    return join([value])


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
        return el(f"h{depth}", content, class_=node.get("class"))
    if 2 <= depth <= 3:
        page.outline.append((depth, name, without_links(content)))
    label = f"Link to the section “{text_of(node)}”"
    link = el("a", "#", class_="anchor", href=f"#{name}", aria_label=label, data_tool=True)
    return el(f"h{depth}", content, link, id=name, class_=node.get("class"))


def without_links(content: Markup) -> Markup:
    """The markup without links and ids, to stand inside a link elsewhere."""
    return Markup(re.sub(r'</?a\b[^>]*>| id="[^"]*"', "", content))


@renders("inlineCode")
def inline_code(node: Node, page: Page) -> Markup:
    return el("code", node.get("value", ""), class_=node.get("class"))


@renders("break")
def line_break(node: Node, page: Page) -> Markup:
    return el("br")


@renders("thematicBreak")
def thematic_break(node: Node, page: Page) -> Markup:
    return el("hr")


@renders("abbreviation")
def abbreviation(node: Node, page: Page) -> Markup:
    return el("abbr", inside(node, page), title=node.get("title"), class_=node.get("class"))


@renders("list")
def list_(node: Node, page: Page) -> Markup:
    items = [item for item in node.get("children") or () if item["type"] == "listItem"]
    tight = not node.get("spread") and all(
        sum(child["type"] == "paragraph" for child in item.get("children") or ()) <= 1
        for item in items
    )
    content = join(list_item(item, page, tight=tight) for item in items)
    tasks = "tasks" if any(item.get("checked") is not None for item in items) else None
    names = classes(tasks, node.get("class"))
    if not node.get("ordered"):
        return el("ul", content, class_=names, id=anchor(node))
    start = node.get("start", 1)
    first = None if start == 1 else start
    return el("ol", content, start=first, class_=names, id=anchor(node))


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
    return el("li", box, content, class_=node.get("class"))


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
    names = classes("dropdown", node.get("class"))
    return el("details", inside(node, page), class_=names, id=anchor(node), open=opened)


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
            class_=item.get("class"),
        )
        for item in items
    ]
    names = classes("tabs", node.get("class"))
    return el("div", *panels, class_=names, id=anchor(node), data_tabs=True)


@renders("grid")
def grid(node: Node, page: Page) -> Markup:
    names = classes(f"grid columns-{max(node.get('columns') or [1])}", node.get("class"))
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
    names = classes("card", "linked" if href else None, node.get("class"))
    return el("div", *parts, class_=names, id=anchor(node))


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
    if content is None:
        return None
    name, style = asset_name(url), measures(node, page)
    names = classes(f"align-{node['align']}" if node.get("align") else None, node.get("class"))
    if posixpath.splitext(url)[1].lower() in VIDEOS:
        src, options = page.publish(name, content), {"controls": True, "aria_label": alt}
        return el("video", src=src, class_=names, style=style, id=anchor(node), **options)
    shown = picture(content, name, alt, page, style=style, names=names)
    # Of two variants only one is seen, so neither can be what a link leads to.
    return el("span", shown, id=anchor(node)) if anchor(node) else shown


def measures(node: Node, page: Page) -> str | None:
    """The style of what has the width and height that its author wants."""
    found = {}
    for name in ("width", "height"):
        wanted = str(node.get(name) or "")
        if match := LENGTH.fullmatch(wanted):
            found[name] = match[1] + (match[2] or "px").lower()
        elif wanted:
            page.problem(f"the {name} {wanted!r} is no length: a number, or one with a unit of CSS")
    if "height" in found:
        found.setdefault("width", "auto")  # not the picture's own, which would distort it
    return ";".join(f"{name}:{value}" for name, value in found.items()) or None


def picture(
    content: bytes,
    name: str,
    alt: str,
    page: Page,
    *,
    style: str | None = None,
    names: str | None = None,
) -> Markup | None:
    """`<img>`; a drawing in the book's colors gets a twin for the dark page, others a ground."""
    stem, suffix = posixpath.splitext(name)
    is_drawing = suffix.lower() == ".svg"
    measured = pictures.size(content, suffix.lower())
    if not measured and not is_drawing:
        page.problem(f"the image {name} is broken, or no image")
        return None
    dark = pictures.dark_variant(content.decode(errors="replace")) if is_drawing else None
    variants = [("for-light" if dark else "on-white", page.publish(name, content))]
    if dark:
        file = page.assets.add(f"{stem}-dark{suffix}", dark.encode())
        variants.append(("for-dark", page.url(file)))
    width, height = measured or (None, None)
    options = {"width": width, "height": height, "style": style, "loading": "lazy"}
    return join(
        el("img", src=src, alt=alt, **options, class_=classes(variant, names))
        for variant, src in variants
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
    aligned = f"align-{node['align']}" if node.get("align") else None
    return el(
        "th" if node.get("header") and content else "td",
        content,
        class_=classes(aligned, node.get("class")),
        colspan=node.get("colspan"),
        rowspan=node.get("rowspan"),
    )


@renders("include")
def include(node: Node, page: Page) -> Markup:
    return inside(node, page)


@renders("embed")
def embed(node: Node, page: Page) -> Markup:
    """A part of another page; MyST says nothing where there is none."""
    content = inside(node, page)
    if not content:
        page.problem(f"{{embed}} shows nothing: is there a {node['source'].get('label')!r}?")
    return content


@renders("glossary")
def glossary(node: Node, page: Page) -> Markup:
    names = classes("glossary", node.get("class"))
    return el("div", inside(node, page), class_=names, id=anchor(node))


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
    names = classes("elsewhere", node.get("class"))
    return el("div", *still, words, class_=names, id=anchor(node))


@renders("anywidget")
def anywidget(node: Node, page: Page) -> Markup:
    """A widget that needs no kernel: widget.js loads the author's module."""
    files = {}
    for key in ("esm", "css"):
        url = node.get(key)
        if url and url.startswith("/"):
            files[key] = (asset_name(url), page.fetch(url) or b"")
        elif url:
            page.problem(f"the widget's file {url} is not in the book")
    text_ = "A widget stands here. It needs JavaScript, and a server to come from."
    still = el("p", text_, class_="fallback")
    names = classes("widget", node.get("class"))
    return widget(files, node.get("model") or {}, still, page, class_=names, id=anchor(node))


# A module that leaves the names of other files in its text, and how high its author says that it
# is: on a narrow page, and on others.
NEEDS_FILES = re.compile(rb"""^(?:import|export)\b[^"'\n]*["'](\.[^"']+)""", re.MULTILINE)
HEIGHTS = re.compile(rb"^export const heights = \[(\d+), (\d+)\];$", re.MULTILINE)
LARGE = 2048  # characters of a model, from which on it is a file of its own


def widget(
    files: dict[str, tuple[str, bytes]],
    model: Node,
    still: Markup | None,
    page: Page,
    **attributes: str | None,
) -> Markup:
    """The box that widget.js fills, with what stands in it until then, and on paper.

    `files` has the module (`esm`) and its style sheet (`css`), each with a name.
    """
    page.features.add("widget")
    name, module = files.get("esm", ("widget.mjs", b""))
    if found := NEEDS_FILES.search(module):
        page.problem(f"the widget {name} imports {found[1].decode()}: it has to be one file")
    for key, (file, content) in files.items():
        attributes[f"data_{key}"] = page.publish(file, content)
    values = json.dumps(model, sort_keys=True)
    if len(values) > LARGE:
        file = posixpath.splitext(name)[0] + ".json"
        attributes["data_values"] = page.publish(file, values.encode())
    else:
        attributes["data_model"] = values
    if found := HEIGHTS.search(module):
        narrow, wide = (int(height) for height in found.groups())
        attributes["style"] = f"--narrow:{narrow}px;--wide:{wide}px"
    return el("div", el("div", still, class_="still"), data_widget=True, **attributes)


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
    return el("div", *parts, class_=classes("math", node.get("class")), id=name)


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
    if kind == "code":
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
        visibility = child.get("visibility")
        content = render(child, page) if visibility != "remove" else None
        if content and visibility == "hide":
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
    names = classes("code", node.get("class"))
    return el("div", head, pre, class_=names, id=anchor(node), data_code=True)


@renders("myst")
def demonstration(node: Node, page: Page) -> Markup:
    """MyST's demonstration of itself: its source."""
    return code({**node, "lang": "markdown"}, page)


@renders("outputs")
def outputs(node: Node, page: Page) -> Markup | None:
    content = join(render(child, page) for child in in_one_piece(node.get("children") or (), page))
    label = "Output"
    return el("div", content, class_="outputs", role="group", aria_label=label) if content else None


def in_one_piece(children: Iterable[Node], page: Page) -> Iterator[Node]:
    """The outputs with what a stream wrote in several pieces as one, as a terminal shows it."""
    for name, group in groupby(children, stream_of):
        if name is None:
            yield from group
        else:
            text_ = "".join(text_of_stream(child["jupyter_data"], page) for child in group)
            data = {"output_type": "stream", "name": name, "text": text_}
            yield {"type": "output", "jupyter_data": data}


def stream_of(node: Node) -> str | None:
    """The name of the stream that an output belongs to, if it does."""
    data = node.get("jupyter_data") or {}
    return data.get("name", "stdout") if data.get("output_type") == "stream" else None


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
    bundle = {mime: item_of(mime, item) for mime, item in (data.get("data") or {}).items()}
    if "text/plain" in bundle and hides(bundle.get("text/html"), page):
        del bundle["text/html"]
    for mime, function in MIME_TYPES.items():
        if mime in bundle:
            return function(node, bundle[mime], page)
    kinds = ", ".join(bundle) or "nothing"
    page.problem(f"an output that the site cannot show; it holds: {kinds}")
    return None


def item_of(mime: str, item: Any) -> Node:
    """One representation as MyST has it; one that it has not touched is as in the notebook."""
    if isinstance(item, dict) and "content_type" in item:
        return item
    return {"content_type": mime, "content": item}


def hides(item: Node | None, page: Page) -> bool:
    """Whether an HTML output needs its own style, which foreign HTML may not have, to hide parts.

    As those of scikit-learn do; the styles of data frames only adorn them.
    """
    return item is not None and bool(HIDING.search(text_of_output(item, page)))


def stream(data: Node, page: Page) -> Markup | None:
    """What a cell wrote: standard output, or standard error with a label that says so."""
    content = highlight.terminal(text_of_stream(data, page).rstrip()).rstrip()
    if not content:
        return None  # a progress bar that has wiped itself out
    shown = el("pre", content, class_=data.get("name"))
    if data.get("name") != "stderr":
        return shown
    return el("div", el("span", "standard error", class_="label"), shown, class_="labeled")


def text_of_output(item: Node, page: Page) -> str:
    """An output's text: in the tree, or in a file of its own when it is long."""
    if item.get("path"):
        return (page.fetch(item["path"]) or b"").decode()
    return joined(item["content"])


def text_of_stream(data: Node, page: Page) -> str:
    """What one piece of a stream says."""
    return text_of_output({"path": data.get("path"), "content": data.get("text", "")}, page)


def output_omitted(node: Node, item: Node, page: Page) -> None:
    """Widgets (progress bars) need a kernel: they have no place on a static page."""
    return


def output_image(node: Node, item: Node, page: Page) -> Markup | None:
    """A figure; its description is in the output's metadata, beside its type."""
    mime = item["content_type"]
    metadata = node["jupyter_data"].get("metadata") or {}
    alt = ((metadata.get(mime) or {}).get("alt") or metadata.get("alt") or "").strip()
    if not alt:
        page.problem(f"a figure ({mime}) without a description; show it with one (alt)")
    suffix = "." + mime.removeprefix("image/").removesuffix("+xml")
    content = page.fetch(item["path"]) if item.get("path") else image_in(item)
    if content is None:
        return None
    return picture(content, f"{page.cell or 'figure'}{suffix}", alt, page)


def image_in(item: Node) -> bytes:
    """An image that stands in the notebook: a drawing as text, all others in base64."""
    text_ = joined(item["content"])
    if item["content_type"] == "image/svg+xml":
        return text_.encode()
    try:
        return base64.b64decode(text_)
    except ValueError:
        return b""  # which is no image


def output_widget(node: Node, item: Node, page: Page) -> Markup:
    """A module that the cell brings along, and beside it the still picture of the same output."""
    content = text_of_output(item, page) if item.get("path") else item["content"]
    shown = json.loads(content) if isinstance(content, str) else content
    bundle = node["jupyter_data"]["data"]
    mime = next((mime for mime in bundle if mime.startswith("image/")), None)
    still = None
    if mime:
        still = output_image(node, item_of(mime, bundle[mime]), page)
    else:
        page.problem(f"the figure {shown['name']} has no still picture")
    files = {"esm": (f"{shown['name']}.mjs", shown["esm"].encode())}
    return widget(files, shown["model"], still, page)


def output_html(node: Node, item: Node, page: Page) -> Markup:
    html = Markup(without_empty_heads(sanitized(text_of_output(item, page))))
    if not html.strip():
        page.problem("an HTML output of which nothing is left without its scripts")
    return el("div", html, class_="html scroll")


def output_markdown(node: Node, item: Node, page: Page) -> Markup:
    return el("div", markdown(text_of_output(item, page), page), class_="markdown")


def output_latex(node: Node, item: Node, page: Page) -> Markup | None:
    """A formula that code has made, as SymPy does; or a sentence with formulas."""
    tex = text_of_output(item, page).strip()
    whole = LATEX.fullmatch(tex)
    if whole or not LATEX.search(tex):
        inner = whole[whole.lastgroup] if whole else tex
        shown = formula_of_code(inner, page, display=True)
        return el("div", el("div", shown, class_="scroll"), class_="math") if shown else None
    parts: list[object] = []
    end = 0
    for match in LATEX.finditer(tex):
        display = match.lastgroup.startswith("display")
        parts += [tex[end : match.start()], formula_of_code(match[match.lastgroup], page, display)]
        end = match.end()
    return el("p", *parts, tex[end:])


def formula_of_code(tex: str, page: Page, display: bool) -> Markup | None:
    """The HTML of a formula that MyST has not seen."""
    return formula(latex.node(tex.strip(), display=display, macros=page.macros), page)


def output_text(node: Node, item: Node, page: Page) -> Markup:
    return el("pre", highlight.terminal(text_of_output(item, page).rstrip("\n")))


MIME_TYPES: dict[str, Callable[[Node, Node, Page], Markup | None]] = {
    "application/vnd.jupyter.widget-view+json": output_omitted,
    "application/vnd.afm+json": output_widget,
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

HIDING = re.compile(r"<style\b[^>]*>[^<]*\bdisplay:\s*none", re.IGNORECASE)
LATEX = re.compile(
    r"(?<!\\)(?:\$\$(?P<display>[^$]+)\$\$|\\\[(?P<displayed>.+?)\\\]"
    r"|\$(?P<inline>(?:\\.|[^$\\])+)\$|\\\((?P<inlined>.+?)\\\))",
    re.DOTALL,
)
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
    shown = formula_of_code(tokens[at].content, env["page"], display)
    return (el("span", shown, class_="scroll") if display else shown) or ""


MARKDOWN.inline.ruler.before("escape", "formula", dollars)
MARKDOWN.add_render_rule("formula", formula_of_output)


def markdown(source: str, page: Page) -> Markup:
    """A Markdown output. MyST has not seen it, so its links and images are not resolved."""
    # A formula on lines of its own is no list, whatever its lines begin with.
    tokens = MARKDOWN.parse(DISPLAYED.sub(lambda match: match[0].replace("\n", " "), source))
    for token in [inner for outer in tokens for inner in (outer, *(outer.children or ()))]:
        target = token.attrGet("href") or token.attrGet("src")
        if token.type == "image" or token.type == "link_open" and not is_resolved(str(target)):
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


def is_resolved(url: str) -> bool:
    """Whether a link needs no resolving: to this page's own anchors, or to elsewhere."""
    return url.startswith("#") or is_absolute(url)


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
        return None if content is None else page.publish(asset_name(url), content)
    if is_resolved(url):
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
        url = node["remoteBaseUrl"].rstrip("/") + url
    target = link_target({**node, "url": url}, page) or "" if url else ""
    names = classes("reference", node.get("class"))
    return el("a", content, href=f"{target}#{name}", class_=names, data_preview=True)


@renders("cite")
def cite(node: Node, page: Page) -> Markup:
    content = inside(node, page) or join([node.get("label")])
    return el("a", content, href=f"#{work_id(node)}", class_="citation", data_preview=True)


def work_id(work: Node) -> str:
    """The id of a cited work. Its label keeps the author's capitals, an identifier does not."""
    return f"cite-{work.get('label') or work.get('identifier')}".replace(" ", "-").lower()


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
    label, href = f"Footnote {number}", f"#fn-{name}"
    link_ = el("a", number, href=href, id=ref, aria_label=label, data_preview=True)
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
        label = "Back to the text"
        back = el("a", "↩", href=f"#fnref-{name}", aria_label=label, data_tool=True)
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
    items = [el("li", sanitized(work["html"]), id=work_id(work)) for work in works]
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
    page.macros = {name: math["macro"] for name, math in (front.get("math") or {}).items()}
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
