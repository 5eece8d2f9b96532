"""A copy of the book in which notebooks are executed, and which MyST reads.

So the sources stay as they are, and what is edited during a build waits for the next one.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from scripts import pdf
from scripts.sources import CONTENT, PICTURES, Book

# MyST names files by what is in them; those of outputs by nothing else.
HASH = re.compile(r"-?[0-9a-f]{32}(?=\.|$)")
OUTPUT = re.compile(r"[0-9a-f]{32}(\.\w+)?")


def stage(book: Book, work: Path, notebooks: dict[str, dict[str, Any]]) -> None:
    """Make the copy in `work` that of the book; files that are as they should be are not touched.

    `notebooks` are those that have outputs.
    """
    settings = yaml.safe_dump(_settings(book), sort_keys=False)
    wanted = {"myst.yml": settings.encode(), **book.files}
    for name, data in book.files.items():
        if Path(name).suffix.lower() in PICTURES:
            wanted[quote(name)] = data  # MyST looks for the address, not for the file
    wanted |= {name: json.dumps(notebook).encode() for name, notebook in notebooks.items()}
    if (work / CONTENT).is_dir():
        for path in [*(work / CONTENT).rglob("*")]:
            if path.is_file() and path.relative_to(work).as_posix() not in wanted:
                path.unlink()
    for name, data in wanted.items():
        path = work / name
        if not path.is_file() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def _settings(book: Book) -> dict[str, Any]:
    """myst.yml, with the template where it is, and the address of the site."""
    project = dict(book.settings.get("project") or {})
    # Cells of two notebooks may have the same id; on one page, the template looks for that.
    project["error_rules"] = [*(project.get("error_rules") or []), "identifier-is-unique"]
    settings = book.settings | {"project": project}
    site = dict(settings.get("site") or {})
    template = book.root / str(site.get("template", ""))
    if template.is_dir():
        site["template"] = str(template)
    options = dict(site.get("options") or {})
    if project.get("github"):
        options["url"] = book.address
    if os.environ.get("BOOK_PDF"):
        options["pdf"] = pdf.FILE
    site["options"] = options
    return settings | {"site": site}


def outside(work: Path) -> Iterator[str]:
    """What MyST has put on a page of the book in `work` that is not in its content/.

    A change of text alone must not publish a file of the machine that builds.
    """
    site, content = work / "_build" / "site", (work / CONTENT).resolve()
    documents = [path.read_text(encoding="utf-8") for path in (site / "content").glob("*.json")]
    known = {path.read_bytes() for path in content.rglob("*") if path.is_file()}
    foreign = [
        path.name
        for path in (site / "public").glob("*")
        if not OUTPUT.fullmatch(path.name) and path.read_bytes() not in known
    ]

    def included(tree: Any, folder: Path) -> Iterator[str]:
        """The files from outside that a page includes, or that what it includes does, in turn."""
        if isinstance(tree, list):
            for each in tree:
                yield from included(each, folder)
        elif isinstance(tree, dict):
            if tree.get("type") == "include":
                path = Path(os.path.normpath(folder / tree["file"].lstrip("/")))
                folder = path.parent
                if not path.resolve().is_relative_to(content):
                    yield tree["file"]
            yield from included(tree.get("children"), folder)

    for text in documents:
        document = json.loads(text)
        name = document["location"].lstrip("/")
        shown = [HASH.sub("", each) for each in foreign if each in text]
        for each in [*included(document["mdast"], (work / name).parent), *shown]:
            yield f"{name}: {each} is not in {CONTENT}/: copy it there to publish it"
