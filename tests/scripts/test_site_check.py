"""The check of a built site finds each thing that a reader would stumble over."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from scripts.site_check import problems
from scripts.sources import Book

PAGES = ["index.md", "b.ipynb"]
GOOD = """<!doctype html><html><head><title>A</title>
<link rel="stylesheet" href="assets/style.css"><link rel="canonical" href="https://example.org/">
</head>
<body><h1 id="top">A</h1><img src="assets/a.svg" alt="A drawing.">
<img src="data:image/png;base64,AAAA" alt="Another.">
<a href="#top">up</a> <a href="b.html#there">b</a> <a href="https://example.org">out</a>
<a href="mailto:somebody@example.org">write</a><a href=".">home</a>{}</body></html>"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A site of two pages in html/, with MyST's results in site/."""
    (tmp_path / "html" / "assets").mkdir(parents=True)
    (tmp_path / "html" / "assets" / "a.svg").write_text("<svg/>")
    (tmp_path / "html" / "assets" / "style.css").write_text("a { mask: url('a.svg') }")
    (tmp_path / "html" / "index.html").write_text(GOOD.format(""))
    (tmp_path / "html" / "b.html").write_text('<p id="there">B</p>')
    (tmp_path / "site" / "content").mkdir(parents=True)
    for name in PAGES:
        document = {"slug": name.partition(".")[0], "location": f"/{name}"}
        (tmp_path / "site" / "content" / f"{name}.json").write_text(json.dumps(document))
    return tmp_path


def check(book: Path) -> list[str]:
    """The problems of the book."""
    return problems(book / "html", book / "site", Book(book, {}, PAGES, {}, {}))


def test_a_good_site_has_no_problems(book: Path):
    assert check(book) == []


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ('<a href="c.html">c</a>', "leads nowhere: c.html"),
        ('<a href="b.html#here">b</a>', "leads to a missing anchor: b.html#here"),
        ('<a href="#here">b</a>', "leads to a missing anchor: #here"),
        ('<a href="assets">b</a>', "leads nowhere: assets"),
        ('<a href="/b.html">b</a>', "not relative: /b.html"),
        ('<a href="../site/content/b.json">b</a>', "leads out of the site"),
        ('<img src="assets/b.svg" alt="B">', "leads nowhere: assets/b.svg"),
        ('<img src="assets/a.svg">', "an image has no description"),
        ('<img src="assets/a.svg" alt=" ">', "an image has no description"),
        (
            '<img src="https://example.org/a.png" alt="A">',
            "another host: https://example.org/a.png",
        ),
        ('<script src="//example.org/a.js"></script>', "another host: //example.org/a.js"),
        ('<script src="assets/a.js"></script>', "leads nowhere: assets/a.js"),
        ('<link rel="preconnect" href="https://example.org">', "another host"),
        ('<div data-values="assets/a.json">', "leads nowhere: assets/a.json"),
    ],
)
def test_a_flaw_is_found_on_its_page(book: Path, html: str, words: str):
    (book / "html" / "index.html").write_text(GOOD.format(html))
    (found,) = check(book)
    assert found.startswith("index.html: ")
    assert words in found


NOISE = "".join(hashlib.sha256(b"%d" % i).hexdigest() for i in range(1500))  # 48 KB, gzip


@pytest.mark.parametrize(
    ("html", "words"),
    [
        (f"<p>{NOISE}", " KB of HTML (gzip); at most 45 KB"),
        ('<link rel="stylesheet" href="noise">', " KB of CSS (gzip); at most 12 KB"),
        ('<script src="noise"></script>', " KB of JavaScript (gzip); at most 6 KB"),
        ('<div data-esm="noise"></div>', "the widget noise has more than 12 KB (gzip)"),
    ],
)
def test_a_page_that_is_too_heavy_is_found(book: Path, html: str, words: str):
    (book / "html" / "noise").write_text(NOISE)
    (book / "html" / "index.html").write_text(GOOD.format(html))
    (found,) = check(book)
    assert found.startswith("index.html: ")
    assert words in found


def test_a_file_that_nothing_loads_weighs_nothing(book: Path):
    (book / "html" / "noise").write_text(NOISE)
    (book / "html" / "index.html").write_text(GOOD.format('<a href="noise">to download</a>'))
    assert check(book) == []


def test_a_missing_page_is_found(book: Path):
    (book / "html" / "b.html").unlink()
    assert "b.ipynb: has no page in the site" in check(book)
