"""MyST's search records as a script, which browsers load from a folder (`file://`) too."""

from __future__ import annotations

import json
from typing import Any

from .book import Book


def script(records: list[dict[str, Any]], book: Book) -> bytes:
    """A script that hands over one record a section: its address, title, place and text.

    MyST has one record for the heading of a section and another one for its text.
    """
    sections: dict[str, dict[str, Any]] = {}
    for record in records:
        path, hash_, fragment = record["url"].partition("#")
        file = book.file(path)
        if file is None:
            continue
        levels = record["hierarchy"]
        titles = [levels[level] for level in sorted(levels) if levels[level]]
        section = sections.setdefault(
            file + hash_ + fragment,
            {"title": titles[-1] if titles else "", "place": titles[:-1], "text": ""},
        )
        text = " ".join((record.get("content") or "").split())
        section["text"] = f"{section['text']} {text}".strip()
    found = [{"id": url, **section} for url, section in sections.items()]
    return b"window.bookSections = " + json.dumps(found, ensure_ascii=False).encode() + b";\n"
