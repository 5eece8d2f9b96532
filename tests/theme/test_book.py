"""Pages, their order and their addresses."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, unquote, urljoin

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from theme.book import Assets, Book, page_file, page_url, palette, relative

SEGMENTS = st.text("ab .é#%?", min_size=1).filter(lambda name: set(name) != {"."})
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)


@given(target=PATHS, source=PATHS)
def test_relative_urls_lead_there_from_anywhere(target, source):
    assume(not source.startswith(target + "/"))  # a file is no folder
    base = "https://example.org/some/base/"
    assert unquote(urljoin(base + quote(source), relative(target, source))) == base + target


@pytest.mark.parametrize(
    ("slug", "url", "file"),
    [
        ("index", "/index", "index.html"),
        ("part.index", "/part", "part/index.html"),
        ("part.one", "/part/one", "part/one.html"),
        ("myindex", "/myindex", "myindex.html"),
    ],
)
def test_addresses(slug, url, file):
    assert (page_url(slug), page_file(slug)) == (url, file)


def test_the_table_of_contents_is_a_tree_in_reading_order(config):
    book = Book(config, "Home")
    assert [entry.title for entry in book.contents] == ["Home", "Part", "More"]
    assert [page.slug for page in book.pages] == ["index", "part.index", "part.one", "two"]
    assert [entry.title for entry in book.trail("two")] == ["More", "Two"]
    assert book.neighbors("index") == (None, book.pages[1])
    assert book.neighbors("part.one") == (book.pages[1], book.pages[3])
    assert book.neighbors("two") == (book.pages[2], None)
    assert book.file("/") == "index.html"
    assert book.file("/part/") == "part/index.html"
    assert book.file("/nowhere") is None


def test_the_table_of_contents_prefers_short_titles():
    page = {"slug": "a", "title": "A long title", "short_title": "Short", "level": 1}
    book = Book({"projects": [{"title": "B", "index": "i", "pages": [page]}]}, "Home")
    assert [entry.title for entry in book.contents] == ["Home", "Short"]


def test_a_title_is_in_plain_text(config):
    book = Book(config, "Home", {"two": "The ℓ_2 norm"})
    assert [entry.title for entry in book.trail("two")] == ["More", "The ℓ_2 norm"]


def test_the_palette_is_pairs_of_colors():
    assert palette("#111 #EEE, #fff #000") == {"#111": "#eee", "#fff": "#000"}
    assert palette("") == {}
    with pytest.raises(ValueError, match="pairs of colors"):
        palette("#111")


@given(a=st.binary(), b=st.binary())
def test_assets_are_named_by_their_content(a, b, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    assets = Assets(folder)
    first, second = assets.add("x.txt", a), assets.add("x.txt", b)
    assert (folder / first).read_bytes() == a
    assert (folder / second).read_bytes() == b
    assert (first == second) == (a == b)


def test_what_the_configuration_links_to_has_a_known_scheme(config):
    project = config["projects"][0]
    pages = [
        {"title": "Elsewhere", "url": "https://x.org", "level": 1},
        {"title": "Program", "url": "javascript:x()", "level": 1},
        {"title": "Data", "url": "data:text/html,x", "level": 2},
    ]
    license_ = {"content": {"id": "X", "url": "javascript:y()"}}
    unsafe = Book({"projects": [{**project, "pages": pages, "license": license_}]}, "Home")
    found = ["javascript:x()", "data:text/html,x", "javascript:y()"]
    assert unsafe.unsafe_addresses() == found
    assert Book(config, "Home").unsafe_addresses() == []


def test_an_asset_is_whole_whenever_somebody_looks(tmp_path, monkeypatch):
    """In the preview, each page writes the assets again, while a browser reads them."""
    written = []
    write = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda *a: (written.append(a[0]), write(*a)))
    (path,) = {tmp_path / Assets(tmp_path).add("x.txt", b"whole") for _ in range(3)}
    assert path.read_bytes() == b"whole"
    assert len(written) == 1 and path not in written
    assert list(path.parent.iterdir()) == [path]
