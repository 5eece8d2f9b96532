"""The book as it is published: built, whole, and free of what a reader would stumble over."""

from __future__ import annotations

import pytest
from books import ROOT, Build

from scripts.site_check import page_files, problems
from scripts.sources import Book, source

BOOK = Book.read(ROOT)


def test_the_book_builds(built: Build):
    assert built.status == 0, built.output
    assert built.report["problems"] == []


def test_nothing_is_wrong_with_the_site(built: Build):
    assert problems(built.html, built.myst, BOOK) == []


@pytest.mark.parametrize("name", BOOK.pages)
def test_every_page_of_the_table_of_contents_is_there(built: Build, name: str):
    page = page_files(built.html, built.myst)[name]
    assert page is not None
    assert "<h1" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BOOK.notebooks)
def test_every_heading_of_a_notebook_is_on_its_page(built: Build, name: str):
    page = page_files(built.html, built.myst)[name].read_text(encoding="utf-8")
    for cell in BOOK.notebooks[name]["cells"]:
        first = source(cell).partition("\n")[0]
        title = first.lstrip("#").strip()
        if cell["cell_type"] == "markdown" and first.startswith("#") and title.isascii():
            if not set(title) & set("`$*_[]&<>'\"\\"):
                assert title in page
