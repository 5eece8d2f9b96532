"""Another book takes the folder: under another name, without options, with nothing of this book."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from lxml import html as lxml_html

from tests.theme import sink

SETTINGS = """
version: 1
project:
  title: Pflanzen
  toc:
    - file: index.md
    - file: licht.ipynb
site:
  template: ./my look
  options:
    language: de
"""
PAGE = """
# Pflanzen

Ein [Versuch](licht.ipynb).

```python
# @title it is only code here
x = 1
```
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site of a book of two pages, with a notebook."""
    folder = tmp_path_factory.mktemp("pflanzen")
    ignore = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(sink.ROOT / "theme", folder / "my look", ignore=ignore)
    (folder / "my look" / "node_modules").symlink_to(sink.ROOT / "theme" / "node_modules")
    (folder / "json.py").write_text("raise SystemExit('a file of the book is not a library')")
    (folder / "myst.yml").write_text(SETTINGS)
    (folder / "index.md").write_text(PAGE)
    drawing = (sink.HERE / "kitchen-sink" / "drawing.svg").read_text()
    outputs = [sink.shown({"image/svg+xml": drawing}, **{"image/svg+xml": {"alt": "Kreise."}})]
    code = {"cell_type": "code", "id": "licht", "source": "# @title Licht\nx", "outputs": outputs}
    code |= {"execution_count": 1, "metadata": {"tags": ["hide-input"]}}
    text = {"cell_type": "markdown", "id": "text", "source": "# Licht", "metadata": {}}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [text, code]}
    (folder / "licht.ipynb").write_text(json.dumps(notebook))
    built = sink.build(folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "_build" / "html"


def test_it_is_built_in_its_own_language_and_colors(site):
    for name in ("index.html", "licht.html", "book.html", "404.html"):
        assert lxml_html.parse(str(site / name)).getroot().get("lang") == "de"
    page = lxml_html.parse(str(site / "licht.html")).getroot()
    (image,) = page.xpath("//main//img")
    assert image.get("class") == "on-white"
    assert page.xpath("//summary/text()") == ["Code"]
    assert not page.xpath("//a[contains(., 'Colab') or contains(., 'PDF')]")
    assert page.xpath("//code")[0].text_content() == "# @title Licht\nx"


def test_code_keeps_its_first_line(site):
    page = lxml_html.parse(str(site / "index.html")).getroot()
    assert page.xpath("//code")[0].text_content() == "# @title it is only code here\nx = 1"


def test_the_theme_names_nothing_of_this_book():
    words = re.compile(r"[Ii]nside.[Dd]eep|LeoYan|torch|BOOK_|scripts/|content/mlp|`make \w")
    for path in (sink.ROOT / "theme").rglob("*"):
        known = {"node_modules", "__pycache__"} & set(path.parts)
        if path.is_file() and not known and path.suffix not in (".woff2", ".png"):
            assert not words.search(path.read_text()), path
