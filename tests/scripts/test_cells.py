"""Blanks are generated from solutions, and a fold is one decision in three forms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from books import cell, notebook

from scripts import cells, export
from scripts.sources import Book, BookError, source

NAME = "content/one.ipynb"
SOLUTION = '''def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


attempt(check_double, double)'''
BLANK = '''def double(x):
    """Twice x."""
    raise NotImplementedError("replace this line with your answer")'''


def exercise(solution: str = SOLUTION) -> list[dict]:
    return [
        cell("code", "stale", "double-blank", tags=["exercise"]),
        cell("code", "attempt(check_double, double)", "check-double", tags=["check"]),
        cell("code", solution, "double", tags=["solution"]),
    ]


@pytest.fixture
def book(tmp_path: Path):
    """Write a book of one notebook; returns it, read."""

    def write(*contents: dict) -> Book:
        path = tmp_path / NAME
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(notebook(*contents)))
        toc = {"project": {"toc": [{"file": NAME}]}}
        (tmp_path / "myst.yml").write_text(yaml.safe_dump(toc))
        return Book.read(tmp_path)

    return write


def exported(book: Book) -> list[dict]:
    """The cells of the notebook as `make export` leaves them."""
    export.write(book)
    written = Book.read(book.root)
    assert export.stale(written) is None
    return written.notebooks[NAME]["cells"]


def test_blank_is_the_solution_without_its_answer_and_attempt(book):
    written = book(*exercise())
    assert "make export" in export.stale(written)
    blank, _, solution = exported(written)
    assert source(blank) == BLANK
    assert source(solution) == "# @title Solution\n" + SOLUTION


@pytest.mark.parametrize("tag", ["hide-input", "hide-cell"])
def test_fold_is_written_for_every_host_and_taken_back(book, tag):
    old = {"cellView": "form", "jupyter": {"source_hidden": True, "outputs_hidden": True}}
    folded, unfolded = exported(
        book(
            cell("code", "x = 1", "a-figure", tags=[tag]),
            cell("code", "# @title Old\ny = 2", "open", tags=[], **old),
        )
    )
    assert source(folded) == "# @title Draw the figure\nx = 1"
    assert folded["metadata"]["cellView"] == "form"
    assert folded["metadata"]["jupyter"] == {"source_hidden": True}
    assert folded["metadata"]["tags"] == [tag]
    assert source(unfolded) == "y = 2"
    assert unfolded["metadata"] == {"tags": [], "jupyter": {"outputs_hidden": True}}


def test_nothing_is_written_when_nothing_changes(book, tmp_path: Path):
    written = book(cell("code", "x = 1", "plain"))
    before = (tmp_path / NAME).stat().st_mtime_ns
    export.write(written)
    assert (tmp_path / NAME).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        (exercise()[2:], "must follow its blank and its check"),
        ([exercise()[0], *exercise()[2:]], "must follow its blank and its check"),
        (exercise("attempt(check_double, double)"), "BEGIN SOLUTION"),
        (exercise(SOLUTION.replace("attempt(check_double, double)", "")), "attempt"),
    ],
)
def test_an_incomplete_exercise_is_refused(book, contents, words):
    with pytest.raises(BookError, match=words) as caught:
        cells.notebooks(book(*contents))
    assert 'content/one.ipynb, cell "double"' in str(caught.value)
