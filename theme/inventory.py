"""What another book needs to link into this one: MyST's references, and Sphinx's inventory.

MyST writes both with its own addresses (`/mlp/intro`). A server of plain files may not know these:
here each names the page's file, as every link of the site does.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Any

from .book import Book

# https://sphobjinv.readthedocs.io/en/stable/syntax.html: four lines, then name, domain:role,
# priority, location and title of each target, compressed.
HEAD = re.compile(rb"(?:[^\n]*\n){4}")
ENTRY = re.compile(r"(\S.*?) (\S+:\S+) (-?\d+) (\S*) (.*)")


def references(found: dict[str, Any], book: Book) -> dict[str, Any]:
    """`myst.xref.json`, with the files of the pages that the book has."""
    kept = [
        reference | {"url": f"/{file}"}
        for reference in found["references"]
        if (file := book.file(reference["url"]))
    ]
    return found | {"references": kept}


def page(document: dict[str, Any]) -> str:
    """A page's syntax tree, from which another book takes the words of a link, or a passage.

    Without the names of nodes that MyST draws anew in each build, and that nobody refers to.
    """
    return json.dumps(_lasting(document), ensure_ascii=False)


def _lasting(value: Any) -> Any:
    if isinstance(value, list):
        return [_lasting(each) for each in value]
    if not isinstance(value, dict):
        return value
    drawn = ("key", "id") if value.get("type") in ("output", "outputs") else ("key",)
    return {name: _lasting(each) for name, each in value.items() if name not in drawn}


def inventory(found: bytes, book: Book) -> bytes:
    """`objects.inv`, with the files of the pages that the book has."""
    head = HEAD.match(found)
    if not head:
        raise ValueError(f"objects.inv begins with four lines of text, got {found[:80]!r}")
    lines = []
    for line in zlib.decompress(found[head.end() :]).decode().splitlines():
        if entry := ENTRY.fullmatch(line):
            name, role, priority, location, title = entry.groups()
            address, mark, fragment = location.partition("#")
            if file := book.file(f"/{address}"):
                lines.append(f"{name} {role} {priority} {file}{mark}{fragment} {title}\n")
    return head[0].replace(b"\r", b"") + zlib.compress("".join(lines).encode())
