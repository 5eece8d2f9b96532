"""Paragraphs, headings, lists, emphasis, and what stands for nothing."""

from __future__ import annotations

import re

from markupsafe import Markup

from ..markup import classes, el, join, sanitized
from .page import Node, Page, Renderer, anchor, inside, render, renders, text_of

# What MyST leaves of a footnote's reference whose text it has not found: in a notebook it looks
# for it in the same cell only.
LOST_NOTE = re.compile(r"\[\^[\w.:-]+\]")


@renders("root", "include")
def plain(node: Node, page: Page) -> Markup:
    return inside(node, page)


@renders("text")
def text(node: Node, page: Page) -> Markup:
    value = node.get("value", "")
    if found := LOST_NOTE.search(value):
        hint = "in a notebook it must be in the same cell; if it is no footnote, make it code"
        page.problem(f"{found[0]} has no text ({hint})")
    return join([value])


def element(tag: str, class_: str | None = None) -> Renderer:
    """A renderer for node types that are one element around their children."""

    def renderer(node: Node, page: Page) -> Markup:
        names = classes(class_, node.get("class"))
        return el(tag, inside(node, page), class_=names, id=anchor(node))

    return renderer


# The tag, and a class.
for _type, _tag in {
    "paragraph": "p",
    "emphasis": "em",
    "strong": "strong",
    "delete": "del",
    "underline": "u",
    "subscript": "sub",
    "superscript": "sup",
    "keyboard": "kbd",
    "smallcaps": "span smallcaps",
    "span": "span",
    "div": "div",
    "blockquote": "blockquote",
    "definitionList": "dl",
    "definitionTerm": "dt",
    "definitionDescription": "dd",
    "summary": "summary",
    "break": "br",
    "thematicBreak": "hr",
    "caption": "figcaption",
    "legend": "div legend",
    "tableRow": "tr",
    "grid-item": "div",
    "header": "div card-header",
    "footer": "div card-footer",
    "glossary": "div glossary",
}.items():
    renders(_type)(element(*_tag.split()))


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
    """Nodes that show nothing here; the works that a page cites stand at its end."""
    return None


@renders("mystDirective", "mystRole", "mystDirectiveError", "mystRoleError")
def unknown(node: Node, page: Page) -> None:
    """What MyST cannot make sense of; all else it has replaced by what it means."""
    reason = node.get("message") or "there is no such directive or role"
    page.problem(f"{{{node.get('name', '')}}}: {reason}")
