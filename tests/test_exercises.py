"""Every blank fails its check, and every solution passes it: seen in the executed notebooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from books import ROOT, Build

from scripts.sources import Book, tags

BOOK = Book.read(ROOT)


def solutions(name: str) -> list[str]:
    """The ids of a notebook's solution cells."""
    return [cell["id"] for cell in BOOK.notebooks[name]["cells"] if "solution" in tags(cell)]


def printed(built: Build, name: str) -> dict[str, str]:
    """What each code cell of the executed notebook printed, by its id."""
    page = built.myst / "content" / f"{'.'.join(Path(name).with_suffix('').parts)}.json"
    found = {}
    for block in nodes(json.loads(page.read_text(encoding="utf-8"))["mdast"], "block"):
        outputs = nodes(block, "output")
        texts = [output["jupyter_data"].get("text", "") for output in outputs]
        found[block.get("identifier")] = "".join(map(str, texts))
    return found


def nodes(tree: dict, kind: str) -> Iterator[dict]:
    """The nodes of one type in a syntax tree."""
    if tree.get("type") == kind:
        yield tree
    for child in tree.get("children") or ():
        yield from nodes(child, kind)


@pytest.mark.parametrize("name", BOOK.notebooks)
def test_there_are_exercises(name: str):
    assert 2 <= len(solutions(name)) <= 5


@pytest.mark.parametrize("name", BOOK.notebooks)
def test_blanks_fail_and_solutions_pass(built: Build, name: str):
    order = [cell["id"] for cell in BOOK.notebooks[name]["cells"]]
    output = printed(built, name)
    for solution in solutions(name):
        check = order[order.index(solution) - 1]
        assert output[check].startswith("Not solved yet"), check
        assert output[solution].startswith("Right: all properties hold."), solution
