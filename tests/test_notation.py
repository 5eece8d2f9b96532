"""The notebooks use the letters of the chapter's notation table, and no others for the same."""

from __future__ import annotations

import re

import pytest
from books import ROOT
from test_notebooks import CODE_SPAN, FORMULA

from scripts.sources import Book, source

# What other books write for something that has a name here already.
BOOK = Book.read(ROOT)
SYNONYMS = {
    r"\\hat\b": "predictions are P (p for one row)",
    r"\\nabla\b": "a gradient is written with ∂",
    r"\\theta\b": "parameters are W and b",
    r"\\mathcal\b": "the loss is L",
    r"\\epsilon\b": r"machine epsilon is \varepsilon",
    r"\\log\b": r"the natural logarithm is \ln",
    r"\\top\b|\^\{?T\b|\\intercal\b": r"the transpose is ^{\mathsf T}",
    r"\\circ\b|\\times\b": r"the product entry by entry is \odot",
    r"(?<![\\a-zA-Z])N(?![a-zA-Z])": "the number of samples is m",
    r"(?<![\\a-zA-Z])J(?![a-zA-Z])": "the loss is L",
}


def misnamed(text: str) -> list[str]:
    """What is wrong with the formulas of a Markdown text."""
    formulas = FORMULA.findall(CODE_SPAN.sub("", text))
    formulas = [re.sub(r"\\text(?:tt)?\{(?:[^{}]|\\_)*\}", "", formula) for formula in formulas]
    return [
        f"{formula}: {name}"
        for formula in formulas
        for pattern, name in SYNONYMS.items()
        if re.search(pattern, formula)
    ]


@pytest.mark.parametrize("name", BOOK.notebooks)
def test_notebooks_keep_to_the_notation(name: str):
    cells = BOOK.notebooks[name]["cells"]
    found = {
        cell["id"]: misnamed(source(cell)) for cell in cells if cell["cell_type"] == "markdown"
    }
    assert {cell: problems for cell, problems in found.items() if problems} == {}


@pytest.mark.parametrize(
    "formula",
    [
        r"\hat y",
        r"\nabla L",
        r"\theta",
        r"\mathcal L",
        r"X^T",
        r"X^{T}",
        r"X^\top",
        r"1/N",
        r"\log p",
    ],
)
def test_a_synonym_is_found(formula: str):
    assert misnamed(f"As ${formula}$ says.")
    assert misnamed(f"As `{formula}` says.") == []
    assert misnamed(f"As $X^{{\\mathsf T}} \\ln p$ and `{formula}` say.") == []
