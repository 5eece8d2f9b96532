"""Each notebook runs, and has the form that the build, the site and the other hosts rely on."""

from __future__ import annotations

import re

import nbformat
import pytest
from books import ROOT, Build

from scripts.sources import Book, source

BOOK = Book.read(ROOT)

CODE_SPAN = re.compile(
    r"^(`{3,}|~{3,}).*?^\1[`~]*\s*$|(`+)(?!`).+?(?<!`)\2(?!`)", re.MULTILINE | re.DOTALL
)
# What MyST understands and Colab, GitHub and nbviewer show as raw text. Code is looked at first,
# because directives and roles look like code to them.
MYST_SYNTAX = {
    "directive": re.compile(r"^\s*(?:`{3,}|~{3,}|:{3,})\s*\{", re.MULTILINE),
    "colon fence": re.compile(r"^\s*:{3,}\s*\S*\s*$", re.MULTILINE),
    "role": re.compile(r"\{[a-zA-Z][\w:.-]*\}`"),
}
MYST_SYNTAX_OUTSIDE_CODE = {
    "target": re.compile(r"^\([\w .:-]+\)=\s*$", re.MULTILINE),
    "labelled formula": re.compile(r"\$\$[ \t]*\([\w:.-]+\)\s*$", re.MULTILINE),
    "block break": re.compile(r"^\+\+\+", re.MULTILINE),
    "comment": re.compile(r"^%\s", re.MULTILINE),
    "substitution": re.compile(r"\{\{.*?\}\}"),
    "citation": re.compile(r"(?<![\w.])@[\w:-]+\b|\[@"),
    "footnote": re.compile(r"\[\^[\w-]+\]"),
    "attributes": re.compile(r"\]\{[.#]"),
}
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)


def myst_syntax(text: str) -> list[str]:
    """The kinds of MyST syntax in the text of a Markdown cell that other hosts show raw."""
    found = [kind for kind, pattern in MYST_SYNTAX.items() if pattern.search(text)]
    prose = CODE_SPAN.sub("", text)
    if MYST_SYNTAX_OUTSIDE_CODE["labelled formula"].search(prose):
        found.append("labelled formula")
    prose = FORMULA.sub("", prose)
    found += [
        kind
        for kind, pattern in MYST_SYNTAX_OUTSIDE_CODE.items()
        if kind != "labelled formula" and pattern.search(prose)
    ]
    return found


@pytest.fixture(params=BOOK.notebooks)
def name(request: pytest.FixtureRequest) -> str:
    """The path of a notebook of the book."""
    return request.param


def cells(name: str, kind: str) -> list[dict]:
    """The notebook's cells of one kind."""
    return [cell for cell in BOOK.notebooks[name]["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("name", BOOK.notebooks)
def test_it_runs_from_top_to_bottom_without_a_warning(built: Build, name: str):
    problems = [each for each in built.report["problems"] if each.startswith(f"{name}: cell ")]
    assert not problems, "\n".join(problems)
    assert name in [*built.report["executed"], *built.report["unchanged"]], built.output


def test_it_is_valid_and_clean(name: str):
    notebook = nbformat.read(ROOT / name, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in cells(name, "code"):
        assert cell["outputs"] == [], cell["id"]
        assert cell["execution_count"] is None, cell["id"]


def test_it_opens_with_its_title(name: str):
    first = BOOK.notebooks[name]["cells"][0]
    assert first["cell_type"] == "markdown"
    assert source(first).startswith("# ")


def test_its_text_reads_the_same_in_every_host(name: str):
    found = {cell["id"]: myst_syntax(source(cell)) for cell in cells(name, "markdown")}
    assert {cell: kinds for cell, kinds in found.items() if kinds} == {}


def test_its_cell_ids_are_readable_and_unique(name: str):
    ids = [cell["id"] for cell in BOOK.notebooks[name]["cells"]]
    assert [each for each in ids if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", each)] == []
    assert sorted({each for each in ids if ids.count(each) > 1}) == []


def test_every_page_is_in_the_table_of_contents():
    files = [*ROOT.glob("content/**/*.ipynb"), *ROOT.glob("content/**/*.md")]
    here = {str(file.relative_to(ROOT)) for file in files if ".ipynb_checkpoints" not in file.parts}
    assert here == set(BOOK.pages)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("```{note}\ntext\n```", "directive"),
        (":::{note}\ntext\n:::", "directive"),
        ("~~~{note}\ntext\n~~~", "directive"),
        ("text\n:::\n", "colon fence"),
        ("see {ref}`here`", "role"),
        ("(here)=\n# A heading", "target"),
        ("$$a = b$$ (eq-one)\n", "labelled formula"),
        ("one\n\n+++\n\ntwo", "block break"),
        ("% a comment", "comment"),
        ("{{ version }}", "substitution"),
        ("as [@somebody2020] says", "citation"),
        ("as @somebody2020 says", "citation"),
        ("a note[^1]", "footnote"),
        ("[text]{.small}", "attributes"),
    ],
)
def test_myst_syntax_is_found(text: str, kind: str):
    assert kind in myst_syntax(text)


@pytest.mark.parametrize(
    "text",
    [
        "Plain *text* with `code`, [a link](page.md) and ![a drawing](figures/a.svg).",
        "$$\\{x_i\\}_{i}^{(k)} = {{a}}$$",
        "The set $\\{1, 2\\}$ and the braces `{a: b}` and `f'{x}'`.",
        "```python\n@decorator\n{{ x }}\n% 3\n```",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "The product `X @ W` is one call.",
        "Write to me@example.org: 5 % of the time (see below).",
    ],
)
def test_other_text_is_left_alone(text: str):
    assert myst_syntax(text) == []
