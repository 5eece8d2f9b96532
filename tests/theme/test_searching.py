"""What the search looks through: sections, with the text that their readers see."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from theme.searching import script

MATH = (
    '<span class="katex"><math><semantics><mrow><mi>q</mi><mo>=</mo><mfrac><mn>1</mn><msup><mi>x'
    "</mi><mn>2</mn></msup></mfrac></mrow><annotation>q=\\frac{1}{x^2}</annotation></semantics>"
    "</math></span>"
)


def text(value: str) -> dict:
    return {"type": "text", "value": value}


def node(type_: str, *children: dict, **keys: object) -> dict:
    return {"type": type_, "children": list(children), **keys}


def records(*nodes: dict, title: str = "A page") -> list[dict]:
    """The records of a page."""
    page = {"frontmatter": {"title": title}, "mdast": node("root", *nodes)}
    head, _, found = script({"part/one.html": page}).decode().removesuffix(";\n").partition(" = ")
    assert head == "window.bookSections"
    return json.loads(found)


def test_a_section_is_one_record_with_its_heading_and_text():
    code = {"type": "code", "value": "x = 1"}
    cell = node("block", code, node("outputs", text("put out")), kind="notebook-code")
    sums = node("heading", text("Sums"), depth=2, html_id="sums")
    small = node("heading", text("Small ones"), depth=3, html_id="small")
    item = node("listItem", node("paragraph", text("two "), node("strong", text("words"))))
    removed = node("block", code, visibility="remove")
    last = node("heading", text("Last"), depth=2, html_id="last")
    found = records(
        node("heading", text("A page"), depth=1, html_id="a-page"),
        node("paragraph", text("One\n\n is")),
        *(sums, cell, small, node("list", item), removed, last),
    )
    assert [each["id"].removeprefix("part/one.html") for each in found] == [
        *("", "#sums", "#small", "#last")
    ]
    assert [each["title"] for each in found] == ["A page", "Sums", "Small ones", "Last"]
    assert [each["text"] for each in found] == ["One is", "x = 1", "two words", ""]
    assert [each["place"] for each in found] == [*([], ["A page"], ["A page", "Sums"], ["A page"])]


def test_a_formula_is_found_and_shown_as_it_is_read():
    """Readers see no TeX in what the search finds."""
    formula = {"type": "inlineMath", "value": "q=\\frac{1}{x^2}", "html": MATH}
    broken = {"type": "inlineMath", "value": "x"}
    (found,) = records(node("paragraph", text("Let "), formula, text(" and "), broken))
    assert found["text"] == "Let q=1/x^2 and x"


@given(title=st.text())
def test_any_text_survives_in_the_records(title):
    (section,) = records(node("paragraph", text(title)), title=title)
    assert section["text"] == " ".join(title.split())
    assert section["title"] == title
