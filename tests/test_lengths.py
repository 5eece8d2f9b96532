"""How long the notebooks are, as a reader sees them: the book's agreement with its readers.

Folded code, set-up cells and solutions do not count; prose in `Markdown(...)` calls does.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from books import ROOT

from scripts.cells import FOLDED as TAGS_THAT_FOLD
from scripts.sources import Book, source, tags

BOOK = Book.read(ROOT)
FOLDED = TAGS_THAT_FOLD | {"remove-input"}
NOT_COUNTED = {"setup", "solution"}
FORMULA = re.compile(r"\$\$.*?\$\$|\$[^$]*\$", re.DOTALL)
PRINTED_PROSE = re.compile(
    r'Markdown\(\s*f?"""(.*?)"""|Markdown\(\s*((?:f?"[^"\n]*"\s*)+)', re.DOTALL
)


class Limits(NamedTuple):
    """At most so many words of prose, lines of visible code, lines in a visible cell."""

    words: int
    code: int
    cell: int


LIMITS = {
    "first-network": Limits(1800, 110, 25),
    "mlp-for-regression": Limits(1800, 110, 25),
    "another-layer": Limits(1010, 130, 48),
    "mlp-for-classification": Limits(1720, 140, 16),
    "is-it-any-good": Limits(950, 70, 20),
    "softmax-cross-entropy-pitfall": Limits(1870, 130, 22),
    "reproducibility": Limits(2100, 201, 25),
    "cost-of-training": Limits(2340, 340, 25),
    "broken-backprop": Limits(2500, 250, 25),
    "automatic-differentiation": Limits(2500, 250, 25),
    "optimizers": Limits(2600, 220, 25),
    "initialization": Limits(2000, 200, 25),
    "normalization": Limits(2000, 200, 25),
    "generalization": Limits(2600, 230, 25),
    "digits": Limits(2000, 200, 25),
}
CORE = list(LIMITS)[:6]
# The cell in which a reader first sees the loss of a training fall, and how much of the prose may
# stand before it. (Readers wanted the paper before the code, and in the second the rules, too.)
FIRST_TRAINING = {"first-network": ("learn", 0.47), "mlp-for-regression": ("train", 0.57)}


def cells(name: str) -> list[dict]:
    """The cells of a notebook."""
    (found,) = (each for each in BOOK.notebooks if each.endswith(f"/{name}.ipynb"))
    return BOOK.notebooks[found]["cells"]


def words(cell: dict) -> int:
    """The words of prose in a cell; a formula counts as one."""
    text = source(cell)
    if cell["cell_type"] == "code":
        text = " ".join("".join(found) for found in PRINTED_PROSE.findall(text))
    return len(re.findall(r"\w[\w'’.-]*", FORMULA.sub(" x ", text)))


def lines(cell: dict) -> list[str]:
    """The lines of a code cell that are not blank."""
    return [line for line in source(cell).splitlines() if line.strip()]


def code(name: str, *, folded: bool) -> list[list[str]]:
    """The lines of each visible code cell, or of each folded one that counts."""
    return [
        lines(cell)
        for cell in cells(name)
        if cell["cell_type"] == "code"
        and not NOT_COUNTED & set(tags(cell))
        and folded == bool(FOLDED & set(tags(cell)))
    ]


@pytest.mark.parametrize("name", LIMITS)
def test_it_is_as_short_as_agreed(name: str):
    limits, visible = LIMITS[name], code(name, folded=False)
    assert sum(map(words, cells(name))) <= limits.words
    assert sum(map(len, visible)) <= limits.code
    assert max(map(len, visible)) <= limits.cell
    assert max(len(line) for cell in visible for line in cell) <= 80


@pytest.mark.parametrize("name", LIMITS)
def test_code_does_not_move_into_folded_cells(name: str):
    hidden = sum(map(len, code(name, folded=True)))
    assert hidden <= 0.4 * (hidden + sum(map(len, code(name, folded=False))))


def test_each_notebook_has_a_limit():
    assert {Path(name).stem for name in BOOK.notebooks} == LIMITS.keys()


def test_the_core_notebooks_together_are_shorter_than_three_were():
    assert sum(words(cell) for name in CORE for cell in cells(name)) <= 9500


@pytest.mark.parametrize("name", FIRST_TRAINING)
def test_training_runs_early(name: str):
    training, share = FIRST_TRAINING[name]
    before = cells(name)[: [cell["id"] for cell in cells(name)].index(training)]
    assert sum(map(words, before)) <= share * sum(map(words, cells(name)))
