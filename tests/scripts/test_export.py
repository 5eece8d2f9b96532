"""The generated module: what the notebooks export, in order, importable, and never out of date."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import yaml
from books import ROOT, cell, notebook
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts import export
from scripts.sources import Book, BookError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A book without pages."""
    (tmp_path / "content" / "tools").mkdir(parents=True)
    return tmp_path


def write(root: Path, **notebooks: list[dict]) -> Book:
    """Write notebooks; the table of contents has them in this order. Returns the book."""
    for name, cells in notebooks.items():
        (root / "content" / f"{name}.ipynb").write_text(json.dumps(notebook(*cells)))
    toc = [{"file": f"content/{name}.ipynb"} for name in notebooks]
    (root / "myst.yml").write_text(yaml.safe_dump({"project": {"toc": toc}}))
    return Book.read(root)


def exported(text: str, name: str = "exported") -> dict:
    """An exported cell."""
    return cell("code", text, name, tags=["export"])


def load(root: Path):
    """The module, imported from its file."""
    spec = importlib.util.spec_from_file_location("generated", root / export.MODULE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_generated_is_up_to_date():
    assert export.stale(Book.read(ROOT)) is None


def test_it_has_the_exported_definitions_and_nothing_else(root: Path):
    book = write(
        root,
        b=[
            cell("code", "%matplotlib inline\nimport math, os\nfrom math import tau as turn", "x"),
            exported("# @title Code\n\ndef area(r):\n    return math.pi * r**2", "area"),
            cell("code", "!ls\nshown = area(1)", "y"),
        ],
        a=[
            cell("code", "from tools.torch_mlp import area", "z"),
            exported("import json\n\nHALF = 0.5\n\n\ndef _hidden():\n    return json", "half"),
            exported("import math; TWICE = 2 * math.pi  # one line\nimport os  # why", "line"),
            exported("class Circle:\n    radius: float = turn\n\n    def area(s): return area(1)"),
        ],
    )
    export.write(book)
    module = load(root)
    assert module.__all__ == ["area", "HALF", "TWICE", "Circle"]
    assert module.TWICE > 6
    assert module.area(1) == pytest.approx(3.14159, abs=1e-5)
    assert module.Circle().area() == module.area(1)
    text = (root / export.MODULE).read_text()
    assert "Do not edit" in module.__doc__
    assert "import os" not in text
    assert "shown" not in text
    assert "@title" not in text
    assert 'From content/b.ipynb, cell "area"' in text
    assert text.index("import json") < text.index("import math") < text.index("def area")
    assert export.stale(Book.read(root)) is None


def test_the_order_is_that_of_the_table_of_contents(root: Path):
    cells = {"late": [exported("def a(): return 1")], "early": [exported("def b(): return 2")]}
    text = export.module(write(root, **cells), export.MODULE)
    assert text.index("def a") < text.index("def b")
    text = export.module(write(root, **dict(reversed(cells.items()))), export.MODULE)
    assert text.index("def b") < text.index("def a")


def test_what_the_second_part_exports_is_a_module_of_its_own(root: Path):
    (root / "content" / "training").mkdir()
    book = write(
        root,
        **{
            "training/a": [
                cell("code", "import math\nfrom tools.torch_mlp import one", "x"),
                exported("def two(): return one() + math.floor(1.5)"),
            ],
            "b": [
                cell("code", "import cmath as math\nfrom tools.torch_training import two", "y"),
                exported("def one(): return 1"),
            ],
            "training/c": [
                cell("code", "from tools.torch_training import two", "z"),
                exported("def four(): return 2 * two()"),
            ],
        },
    )
    export.write(book)
    first, second = ((root / name).read_text() for name in export.TITLES)
    assert "def one" in first
    assert "def two" not in first
    assert "import" not in first.partition('"""\n')[2]
    assert "import math\nfrom tools.torch_mlp import one\n\n__all__" in second
    assert "def two" in second
    assert "def four" in second
    assert "tools.torch_training" not in second
    assert export.stale(Book.read(root)) is None
    write(root, b=[exported("def one(): return 1")])
    export.write(Book.read(root))
    assert not (root / export.TRAINING).exists()
    assert (root / export.MODULE).read_text() == first


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["def f(): return 1", "def f(): return 2"], "f is exported twice"),
        (["f = 1", "class f: pass"], 'cell "exported-1"'),
        (["def f(): return 1\n\n\nprint(f())"], "definitions only, not `print(f())`"),
        (["class A: pass\n\n\nA.f = len"], "definitions only, not `A.f = len`"),
        (["for i in range(3):\n    x = i"], "definitions only, not `for i in range(3):`"),
        (["def f(:"], 'cell "exported-0": '),
        (["import numpy as m\n\n\ndef f(): return m", "import math as m"], "m is `import numpy"),
    ],
)
def test_what_cannot_be_exported_is_an_error_with_its_place(
    root: Path, cells: list[str], words: str
):
    book = write(root, one=[exported(text, f"exported-{i}") for i, text in enumerate(cells)])
    (root / export.MODULE).write_text("as it was")
    with pytest.raises(BookError) as error:
        export.write(book)
    assert words in str(error.value)
    assert (root / export.MODULE).read_text() == "as it was"


def test_unused_imports_may_disagree(root: Path):
    book = write(
        root,
        one=[cell("code", "import numpy as m", "x"), exported("def f(): return 1")],
        two=[cell("code", "import math as m", "x")],
    )
    assert "import" not in export.module(book, export.MODULE).partition('"""\n')[2]


def test_a_stale_module_is_told(root: Path):
    book = write(root, one=[exported("def f(): return 1")])
    assert "make export" in export.stale(book)  # missing
    export.write(book)
    before = (root / export.MODULE).stat()
    book = Book.read(root)
    assert export.stale(book) is None
    export.write(book)
    after = (root / export.MODULE).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [path.name for path in (root / "content" / "tools").iterdir()] == ["torch_mlp.py"]
    with (root / export.MODULE).open("a") as file:
        file.write("# by hand\n")
    assert "make export" in export.stale(Book.read(root))
    book = write(root, one=[cell("code", "def f(): return 1", "not-exported")])
    assert "make export" in export.stale(book)  # nothing is exported any more
    export.write(book)
    assert not (root / export.MODULE).exists()


@settings(max_examples=10)
@given(names=st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1))
def test_writing_twice_gives_the_same_bytes(tmp_path_factory, names: list[str]):
    root = tmp_path_factory.mktemp("book")
    (root / "content" / "tools").mkdir(parents=True)
    cells = [exported(f"def {name}( x ):\n  return   x+{i}") for i, name in enumerate(names)]
    export.write(write(root, one=[cell("code", "import math, sys", "x"), *cells]))
    first = (root / export.MODULE).read_bytes()
    (root / export.MODULE).unlink()
    export.write(Book.read(root))
    assert (root / export.MODULE).read_bytes() == first
    assert load(root).__all__ == names
