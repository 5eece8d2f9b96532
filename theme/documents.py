"""What MyST has made of the pages, with ids that last and titles in plain text."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from . import latex, mystast
from .mystast import walk

# What MyST draws for an index entry and for an exercise whose author gives it no label.
RANDOM_ID = re.compile(r"\b(index|exercise)-[A-Za-z0-9]{10}\b")


def lasting_ids(texts: dict[str, str]) -> dict[str, str]:
    """Ids in place of the random ones that nodes of these pages get in every build."""
    found: dict[str, str] = {}
    for text in texts.values():
        counts: Counter[str] = Counter()
        for node in walk(json.loads(text)["mdast"]) if RANDOM_ID.search(text) else ():
            if kind := drawn(node):
                counts[kind] += 1
                name = f"{kind}-entry-{counts[kind]}"
                found |= {node["identifier"]: name, node["label"]: name}
    return found


def drawn(node: dict[str, Any]) -> str | None:
    """The kind of an id that MyST has drawn: `index` or `exercise`. Authors' labels stay."""
    if not (match := RANDOM_ID.fullmatch(node.get("label") or "")):
        return None
    if node["type"] == "exercise":  # MyST reads an author's label before it numbers the exercise
        keys = list(node)
        is_drawn = keys.index("label") > keys.index("enumerated")
    else:  # what is drawn has capitals and digits anywhere
        is_drawn = "indexEntries" in node and not re.search(r"-.[a-z]+$", node["label"])
    return match[1] if is_drawn else None


def name_plainly(document: dict[str, Any]) -> None:
    """Give a page whose heading has formulas a title that can be read where only text can stand.

    Of the heading that begins a notebook, MyST may leave nothing but the title, with its TeX.
    """
    front = document["frontmatter"]

    def plain(tex: re.Match[str]) -> str:
        return mystast.text_of({"type": "inlineMath", **latex.node(tex[0], display=False)})

    heading = next((node for node in walk(document["mdast"]) if node["type"] == "heading"), None)
    if front.get("content_includes_title") and heading:
        if any(node["type"] == "inlineMath" for node in walk(heading)):
            front["title"] = mystast.text_of(heading)
    elif "\\" in (front.get("title") or ""):
        front["title"] = re.sub(r"\\[A-Za-z]\S*", plain, front["title"])
