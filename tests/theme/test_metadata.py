"""What pages say of themselves to machines."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from lxml import html as lxml_html
from PIL import Image

from theme import metadata
from theme.book import Book

ADDRESS = "https://example.org/base"
FRONT = {"title": 'One & "only"', "description": "<About> it", "authors": [{"name": "B & C"}]}


@pytest.fixture
def book(config) -> Book:
    """A book that knows its address."""
    return Book({**config, "options": {"url": ADDRESS + "/"}}, "Home")


def contents(tags: str, name: str) -> list[str]:
    tree = lxml_html.fragment_fromstring(str(tags), create_parent="head")
    return tree.xpath("//meta[@name=$name or @property=$name]/@content", name=name)


def test_the_time_to_read_is_that_of_what_a_reader_sees():
    prose = {"type": "paragraph", "children": [{"type": "text", "value": "word " * 300}]}
    code = {"type": "code", "value": "x = 1\n\n" * 10}
    outputs = {"type": "outputs", "children": [code]}
    folded = {"type": "block", "visibility": "hide", "children": [code, prose]}
    math = [{"type": "math", "value": "x"}] * 10

    def minutes(*children):
        return metadata.reading_minutes({"type": "root", "children": list(children)})

    assert [minutes(prose), minutes(code), minutes(*math)] == [2, 1, 1]
    assert minutes(prose, code, *math, outputs, folded) == 4


def test_addresses_are_absolute_and_text_is_text(book):
    tags = metadata.tags(FRONT, "part/one.html", book, "assets/card.png")
    head = lxml_html.fragment_fromstring(str(tags), create_parent="head")
    assert head.xpath("//link[@rel='canonical']/@href") == [f"{ADDRESS}/part/one.html"]
    assert contents(tags, "og:url") == [f"{ADDRESS}/part/one.html"]
    assert contents(tags, "og:image") == [f"{ADDRESS}/assets/card.png"]
    assert contents(tags, "citation_title") == ['One & "only"']
    assert contents(tags, "citation_author") == ["B & C"]
    assert contents(tags, "og:description") == ["<About> it"]


def test_without_an_address_nothing_pretends_to_have_one(config):
    book = Book(config, "Home")
    tags = metadata.tags(FRONT, "part/one.html", book, "")
    assert "canonical" not in tags
    for name in ("og:url", "og:image", "og:image:alt", "citation_fulltext_html_url"):
        assert contents(tags, name) == []
    assert contents(tags, "citation_title") and "Sitemap" not in metadata.robots(book)
    head = lxml_html.fragment_fromstring(str(tags), create_parent="head")
    assert all(meta.get("content") for meta in head.iter("meta"))


@given(words=st.lists(st.text("ab", min_size=1, max_size=30), min_size=1, max_size=40))
def test_a_page_without_description_has_its_beginning(words):
    text = " ".join(words)
    paragraph = {"type": "paragraph", "children": [{"type": "text", "value": text}]}
    heading = {"type": "heading", "depth": 1, "children": [{"type": "text", "value": "A title"}]}
    box = {"type": "block", "children": [heading, {"type": "list", "children": []}, paragraph]}
    found = metadata.beginning({"type": "root", "children": [box, {**paragraph, "children": []}]})
    assert len(found) <= 160
    assert found == text or (found.endswith("…") and text.startswith(found[:-1]))
    assert len(text) > 160 or found == text
    assert metadata.beginning({"type": "root", "children": [heading]}) is None


def test_the_sitemap_has_every_page_once(book):
    root = etree.fromstring(metadata.sitemap(book).encode())
    found = [loc.text for loc in root.iter("{*}loc")]
    assert found == [
        f"{ADDRESS}/{name}" for name in ("", "part/index.html", "part/one.html", "two.html")
    ]


def test_the_card_has_the_size_that_previews_expect_and_is_the_same_each_time(book):
    card = metadata.card(book)
    assert Image.open(io.BytesIO(card)).size == (1200, 630)
    assert metadata.card(book) == card
    other = Book({"projects": [{"title": "Other", "index": "i", "pages": []}]}, "Home")
    assert metadata.card(other) != card
