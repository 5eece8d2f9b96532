"""The whole book on one page: unique ids, links that stay inside, and the same text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html
from markupsafe import Markup

from theme import whole
from theme.markup import el, sanitized

FILE = "part/one.html"


def attributes(html: Markup, name: str) -> list[str]:
    return lxml_html.fragment_fromstring(str(html), create_parent="main").xpath(f"//@{name}")


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("#a", "#part.one..a"),
        ("two.html", "#part.two"),
        ("../index.html#b", "#index..b"),
        ("../assets/x.csv", "assets/x.csv"),
        ("../assets/a%23b%3Fc%25.csv", "assets/a%23b%3Fc%25.csv"),
        ("https://example.org/x.html#a", "https://example.org/x.html#a"),
        ("mailto:a@example.org", "mailto:a@example.org"),
    ],
)
def test_links_lead_to_the_chapter(href, expected):
    assert attributes(whole.chapter(el("a", "x", href=href), FILE), "href") == [expected]


def test_ids_are_unique_and_pictures_are_not_lazy():
    article = el("p", el("img", src="../assets/a.svg", alt="A", loading="lazy"), id="p")
    chapters = [whole.chapter(article, file) for file in (FILE, "part/two.html")]
    ids = attributes(Markup("").join(chapters), "id")
    assert ids == ["part.one..p", "part.two..p"]
    assert attributes(chapters[0], "src") == ["assets/a.svg"]
    assert not attributes(chapters[0], "loading")


def test_a_widget_s_files_are_found():
    names = ("data-esm", "data-css", "data-values")
    box = el("div", **{name: f"../assets/{name}" for name in names})
    chapter = whole.chapter(box, FILE)
    assert [attributes(chapter, name) for name in names] == [[f"assets/{name}"] for name in names]


@given(text=st.text(st.characters(exclude_categories=("Cs", "Cc"))))
def test_text_that_looks_like_markup_is_left_alone(text):
    text = f' id="a" <b href="#c"> {text}'
    html = whole.chapter(el("p", text, title=text), FILE)
    (paragraph,) = lxml_html.fragments_fromstring(str(html))
    assert paragraph.text == text


def test_quotes_in_foreign_html_are_text_too():
    html = sanitized('<p> id="a" href="b.html"</p>')
    assert ' id="a"' in html  # the sanitizer leaves quotes in text as they are
    assert whole.chapter(html, FILE) == html
