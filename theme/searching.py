"""What the search looks through: a record a section, with the text that its readers see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .mystast.page import Node, anchor, text_of

SILENT = frozenset({"outputs", "output", "html", "raw", "comment"})


def script(pages: dict[str, dict[str, Any]]) -> bytes:
    """A script that hands over the records of the pages, which stand here by their files.

    A script, because browsers load it for pages opened from a folder (`file://`), too.
    """
    found = [section for file, page in pages.items() for section in sections(file, page)]
    return b"window.bookSections = " + json.dumps(found, ensure_ascii=False).encode() + b";\n"


def sections(file: str, page: dict[str, Any]) -> list[dict[str, Any]]:
    """The sections of a page: each with its address, title, place and text."""
    found = [{"id": file, "title": page["frontmatter"].get("title") or "", "place": [], "text": ""}]
    above: dict[int, str] = {1: found[0]["title"]}  # the titles above, by their depths
    for node in pieces(page["mdast"]):
        text = " ".join(text_of(node).split())
        depth = node.get("depth", 0) if node["type"] == "heading" else 0
        if depth > 1 and anchor(node):
            above = {level: title for level, title in above.items() if level < depth}
            place, id_ = list(above.values()), f"{file}#{anchor(node)}"
            found.append({"id": id_, "title": text, "place": place, "text": ""})
            above[depth] = text
        elif depth != 1:
            found[-1]["text"] = f"{found[-1]['text']} {text}".strip()
    return found


def pieces(node: Node) -> Iterator[Node]:
    """The headings, paragraphs, formulas and pieces of code of a page."""
    if node.get("visibility") == "remove" or node["type"] in SILENT:
        return
    children = node.get("children") or []
    if any(child["type"] in ("text", "inlineCode", "inlineMath") for child in children):
        yield node
    elif children:
        for child in children:
            yield from pieces(child)
    else:
        yield node
