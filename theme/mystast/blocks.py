"""Boxes around text: admonitions, exercises, tabs, grids and cards; tables, glossaries."""

from __future__ import annotations

from markupsafe import Markup

from ..markup import classes, el, join
from .page import Node, Page, anchor, inside, render, renders, text_of
from .prose import without_links
from .references import link_target


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
        page.problem("a tab set has no tabs")
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


@renders("embed")
def embed(node: Node, page: Page) -> Markup:
    """A part of another page; MyST says nothing where there is none."""
    content = inside(node, page)
    if not content:
        page.problem(f"{{embed}} shows nothing: is there a {node['source'].get('label')!r}?")
    return content
