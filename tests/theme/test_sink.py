"""The kitchen sink: one of each thing becomes exactly what it was when somebody last looked."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from browser.conftest import served
from lxml import html as lxml_html

from tests.theme import sink

pytestmark = pytest.mark.xdist_group("sink")  # built once

GOLDEN = Path(__file__).parent / "kitchen-sink.golden"
BLOCKS = re.compile(r"(?=<(?:p|div|h[1-6]|[uod]l|li|d[td]|table|tr|figure|details|section|pre)\b)")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The kitchen sink's site."""
    folder = tmp_path_factory.mktemp("sink")
    sink.create(folder)
    built = sink.build(folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "_build" / "html"


def normal(page: Path) -> str:
    """The main part of a page: a block a line, assets without their hash, formulas as TeX."""
    main = lxml_html.parse(str(page)).getroot().find(".//main")
    for formula in main.xpath("//span[@class='katex']"):
        tex = formula.findtext(".//annotation")
        tail = formula.tail
        formula.clear()
        formula.text, formula.tail = f"${tex}$", tail
    text = lxml_html.tostring(main, encoding="unicode")
    text = re.sub(r"(assets/[^\"]*)\.[0-9a-f]{10}(?=\.)", r"\1", text)
    return re.sub(r"\n{2,}", "\n", BLOCKS.sub("\n", text)).strip() + "\n"


@pytest.mark.parametrize("name", ["index", "blocks", "math", "outputs"])
def test_one_of_each_is_rendered_as_before(site, name):
    actual, golden = normal(site / f"{name}.html"), GOLDEN / f"{name}.html"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(actual, encoding="utf-8")
    expected = golden.read_text(encoding="utf-8") if golden.exists() else ""
    assert actual == expected, "look at it; if it is right, run again with UPDATE_GOLDEN=1"


def test_it_is_well_formed_and_says_what_it_is(site):
    for page in site.rglob("*.html"):
        tree = lxml_html.parse(str(page)).getroot()
        assert tree.findtext(".//title")
        assert tree.xpath("count(//h1)") >= 1 if page.name != "book.html" else True
    tree = lxml_html.parse(str(site / "blocks.html")).getroot()
    assert tree.xpath("//link[@rel='canonical']/@href") == [
        "https://example.org/a/book/blocks.html"
    ]
    assert tree.xpath("//meta[@name='citation_author']/@content") == ["A. Author", "B. Author"]
    image = tree.xpath("//meta[@property='og:image']/@content")[0]
    assert (site / image.removeprefix("https://example.org/a/book/")).is_file()
    index = lxml_html.parse(str(site / "index.html")).getroot()
    dates = index.xpath("//meta[@name='citation_publication_date']/@content")
    assert dates == ["2026/11/23"]
    assert "https://example.org/a/book/sitemap.xml" in (site / "robots.txt").read_text()


@pytest.mark.parametrize("kind", ["myst", "intersphinx"])
def test_another_book_refers_to_this_one(site, tmp_path, kind):
    """By MyST's references, which tell the words of a link, too; or by Sphinx's inventory."""
    folder = tmp_path / "other"
    folder.mkdir()
    with served(site, tmp_path / "served") as place:
        url = place.url.rstrip("/")
        settings = {
            "version": 1,
            "project": {
                "title": "Another book",
                "toc": [{"file": "index.md"}],
                "references": {"sink": {"url": url, "kind": kind}},
            },
            "site": {"template": str(site.parents[1] / "theme")},
        }
        (folder / "myst.yml").write_text(json.dumps(settings))
        links = "[](xref:sink#start) [](xref:sink#fig-drawing) [](xref:sink#a-table)"
        (folder / "index.md").write_text(f"# Another\n\n{links}\n")
        built = sink.build(folder)
    assert built.returncode == 0, built.stdout + built.stderr
    page = lxml_html.parse(str(folder / "_build" / "html" / "index.html")).getroot()
    found = page.xpath(f"//main//a[starts-with(@href, '{url}')]")
    places = [link.get("href").removeprefix(url + "/").partition("#") for link in found]
    assert [file for file, _, _ in places] == ["index.html", "blocks.html", "blocks.html"]
    for file, _, name in places:
        assert lxml_html.parse(str(site / file)).xpath("//*[@id=$name]", name=name)
    assert found[0].text_content() == "Phrases"
    assert found[1].text_content().startswith("Figure\N{NO-BREAK SPACE}1")
