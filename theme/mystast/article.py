"""A whole page: its tree, then its notes and references."""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import unquote

from markupsafe import Markup

from ..markup import el, join, sanitized
from .page import Node, Page, inside, render
from .references import work_id


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
