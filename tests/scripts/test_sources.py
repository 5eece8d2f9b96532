"""What a book consists of, and which modules and data a notebook uses."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
import yaml
from books import cell, notebook

from scripts.sources import Book, BookError, imports, python


@pytest.fixture
def book(tmp_path: Path):
    """Write a book of one notebook with these cells, and other files; returns it, read."""

    def write(*cells: dict, **files: str) -> Book:
        folder = tmp_path / "content" / "tools"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / f"{name.replace('__', '.')}").write_text(text)
        (tmp_path / "content" / "one.ipynb").write_text(json.dumps(notebook(*cells)))
        toc = {"project": {"toc": [{"file": "content/one.ipynb"}]}}
        (tmp_path / "myst.yml").write_text(yaml.safe_dump(toc))
        return Book.read(tmp_path)

    return write


def used(book: Book) -> list[str]:
    """The modules of the book's notebook, without their folder."""
    (only,) = book.notebooks.values()
    return [file.removeprefix("content/tools/") for file in book.modules_of(only)]


MODULES = {
    "a__py": "A = 1",
    "b__py": "from tools.a import A",
    "c__py": "from tools import b as renamed",
    "d__py": "from . import c",
    "e__py": "import tools.f",
    "f__py": "import tools.e, collections",
}


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("from tools import d", "abcd"),
        ("import tools.e", "ef"),  # two that import each other
        ("%time\nfrom tools import a\n!ls", "a"),
        ("%%time\nfrom tools import a", "a"),
        ("\n%%capture out\n%%time\nfrom tools import a", "a"),
        ("%%bash\nimport tools.a", ""),
        ("x = !ls\nfrom tools.a import A\nlen?", "a"),
        ("rest = (17\n% 5)\nimport tools.a", "a"),
        ("def f():\n    from tools import a", "a"),
        ("run([sys.executable, 'a.py'])", "a"),
        ("a = 1", ""),
        ("from tools import a\nno python", ""),  # running it tells
    ],
)
def test_a_notebook_uses_what_it_imports_and_starts(book, text: str, modules: str):
    assert used(book(cell("code", text, "x"), **MODULES)) == [f"{name}.py" for name in modules]


def test_what_is_only_mentioned_is_not_used(book):
    cells = [cell("markdown", "`a.py`", "x"), cell("code", "import tools.a", "s", tags=["setup"])]
    assert used(book(*cells, **MODULES)) == []


def test_data_counts_and_pictures_where_they_are_named(book):
    read = book(cell("code", "open('d.svg')", "x"), data__csv="1", d__svg="", e__svg="", p__md="")
    (only,) = read.notebooks.values()
    assert read.data_of(only) == ["content/tools/d.svg", "content/tools/data.csv"]


def test_a_played_figure_counts_with_what_it_imports(book):
    scripts = {"a__mjs": 'import { b } from "./b.mjs";', "b__mjs": "", "c__mjs": ""}
    scripts["watch__py"] = "play('c', fig, 'C.')"
    for text, names in (
        ("play('a', fig, 'A.')", "ab"),
        ('play(\n    "c", fig)', "c"),
        ("from tools.watch import watch", "c"),
        ("a", ""),
    ):
        read = book(cell("code", text, "x"), **scripts)
        (only,) = read.notebooks.values()
        assert read.data_of(only) == [f"content/tools/{name}.mjs" for name in names]


@pytest.mark.parametrize("text", ["rest = (17\n% 5)", "x = 5 % 3", "@decorator\ndef f(): ..."])
def test_python_stays_as_it_is(text: str):
    assert python(text) == text


@pytest.mark.parametrize("text", ["%matplotlib inline\nx = 1", "if x:\n    !ls\n", "x = !ls", "f?"])
def test_magics_become_python(text: str):
    ast.parse(python(text))


def test_imports_are_found_wherever_they_stand():
    tree = ast.parse("import a.b as c, d\ndef f():\n    from e import g\n    from .h import i\n")
    assert imports(tree) == {"a.b", "d", "e", "e.g", "h", "h.i"}


def test_two_modules_of_one_name_are_an_error(book, tmp_path: Path):
    book()
    (tmp_path / "content" / "a.py").write_text("")
    with pytest.raises(BookError, match=r"content/a\.py and content/tools/a\.py"):
        _ = book(**MODULES).modules


def test_pages_come_in_order_at_any_depth(tmp_path: Path):
    toc = [
        {"file": "content/index.md"},
        {
            "title": "Part",
            "children": [{"file": "content/b.md", "children": [{"file": "content/a.md"}]}],
        },
        {"url": "https://example.org"},
        {"file": "content/c.md"},
    ]
    (tmp_path / "content").mkdir()
    (tmp_path / "myst.yml").write_text(yaml.safe_dump({"project": {"toc": toc}}))
    names = [f"content/{name}.md" for name in ("index", "b", "a", "c")]
    for name in names:
        (tmp_path / name).touch()
    assert Book.read(tmp_path).pages == names
    (tmp_path / "content" / "b.md").unlink()
    with pytest.raises(BookError, match="content/b.md"):
        Book.read(tmp_path)
