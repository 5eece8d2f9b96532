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
    if kind == "admonition":
        names = (node.get("class") or "").split()
        kind = next((name for name in names if name != "dropdown"), "note")
    return box(node, page, f"admonition {kind}")


@renders("aside")
def aside(node: Node, page: Page) -> Markup:
    return box(node, page, classes("aside", node.get("kind")))


@renders("solution")
def solution(node: Node, page: Page) -> Markup | None:
    return None if node.get("hidden") else box(node, page, "admonition solution")


@renders("exercise", "proof")
def numbered_box(node: Node, page: Page) -> Markup | None:
    if node.get("hidden"):
        return None
    kind = node.get("kind") or node["type"]
    number = node.get("enumerator") if node.get("enumerated", True) and kind != "proof" else None
    heading = kind.capitalize() + (f" {number}" if number else "")
    return box(node, page, f"admonition {kind}", heading)


def box(node: Node, page: Page, class_: str, heading: str | None = None) -> Markup:
    """A box with the author's title, in parentheses where there is a heading before it.

    Of the class `dropdown`, it is folded and opens on the title. The author's classes come last.
    """
    own, children = (node.get("class") or "").split(), node.get("children") or []
    title = next((child for child in children if child["type"] == "admonitionTitle"), None)
    head = inside(title, page) if title else None
    if heading:
        head = join([heading, " (", head, ")"] if title else [heading])
    body = join(render(child, page) for child in children if child is not title)
    kept = dict.fromkeys(name for name in [*class_.split(), *own] if name != "dropdown")
    names, name = classes(*kept), anchor(node)
    if "dropdown" in own:
        # Only one thing can happen at a click on it.
        summary = el("summary", without_links(head) if head else "Details", class_="title")
        opened = bool(node.get("open"))
        return el("details", summary, body, class_=names, id=name, open=opened)
    above = el("p", head, class_="title") if head else None
    return el("div", above, body, class_=names, id=name, role="note")


@renders("details")
def details(node: Node, page: Page) -> Markup:
    opened = bool(node.get("open"))
    names = classes("dropdown", node.get("class"))
    return el("details", inside(node, page), class_=names, id=anchor(node), open=opened)


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
