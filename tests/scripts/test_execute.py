"""Outputs are kept for exactly what they depend on, and damage to them is noticed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from books import cell, notebook
from hypothesis import given
from hypothesis import strategies as st

from scripts import environment, execute
from scripts.kernels import joined
from scripts.progress import Progress
from scripts.sources import Book

NAME = "content/one.ipynb"


def book(*cells: dict, **files: str) -> Book:
    """A book of one notebook, which is nowhere on a disk."""
    cells = cells or (cell("code", "from tools import a", "x"), cell("markdown", "Text.", "y"))
    found = {"content/tools/a.py": "A = 1", "content/tools/b.py": "B = 1"} | files
    data = {name: text.encode() for name, text in found.items()}
    return Book(Path(), {}, [NAME], {NAME: notebook(*cells)}, data)


def test_a_key_changes_with_what_outputs_depend_on(monkeypatch):
    code = "from tools import a"
    keys = [
        execute.key(book(), NAME),
        execute.key(book(cell("code", code + "\n", "x")), NAME),
        execute.key(book(cell("code", code, "x", tags=["raises-exception"])), NAME),
        execute.key(book(**{"content/tools/a.py": "A = 2"}), NAME),
        execute.key(book(**{"content/data.csv": "1"}), NAME),
        execute.key(book(**{"content/data.csv": "2"}), NAME),
    ]
    for name in ("BOOK_LARGE", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "ATEN_CPU_CAPABILITY"):
        with monkeypatch.context() as changed:
            changed.setenv(name, "7")
            keys.append(execute.key(book(), NAME))
    keys.append(execute.key(book(), NAME, "a row\n"))
    monkeypatch.setattr(execute.sysconfig, "get_path", lambda _: str(Path(__file__).parent))
    keys.append(execute.key(book(), NAME))  # other packages
    assert len(set(keys)) == len(keys)


def test_a_key_stays_where_only_words_change(monkeypatch):
    same = execute.key(book(), NAME)
    code = cell("code", "from tools import a", "x")
    set_up = cell("code", "import os", "setup", tags=["setup"])
    assert execute.key(book(set_up, code, cell("markdown", "Other.", "y")), NAME) == same
    assert execute.key(book(**{"content/tools/b.py": "B = 2"}), NAME) == same
    assert execute.key(book(**{"content/p.md": "", "content/q.svg": ""}), NAME) == same
    data = book(**{"content/data.csv": "1"})  # named by another notebook, and so read by that
    data.notebooks["content/two.ipynb"] = notebook(cell("code", "open('data.csv')", "x"))
    assert execute.key(data, NAME) == same
    for name in ("BOOK_PDF", "BOOK_BROWSER", "EDITOR", "PYTHONPATH", "LANG"):
        monkeypatch.setenv(name, "7")
    assert execute.key(book(), NAME) == same


def executed(text: str) -> dict:
    """A notebook with an output and a row of the ledger."""
    output = {"output_type": "stream", "name": "stdout", "text": text}
    done = notebook(cell("code", "print()", "x") | {"outputs": [output], "execution_count": 1})
    done["metadata"] |= {"ledger": [{"claim": text}]}
    return done


@pytest.fixture
def cache(tmp_path: Path) -> execute.Cache:
    """A cache that knows one notebook."""
    found = execute.Cache(tmp_path / "cache")
    found.put(NAME, executed("1"), "key", strict=False)
    return found


def test_outputs_are_given_back(cache: execute.Cache):
    bare = notebook(cell("markdown", "New.", "new"), cell("code", "print()", "x"))
    filled = cache.get(NAME, bare, "key", strict=False)
    assert filled["cells"][1]["outputs"] == executed("1")["cells"][0]["outputs"]
    assert filled["metadata"] == executed("1")["metadata"]
    assert bare["cells"][1]["outputs"] == [] and "ledger" not in bare["metadata"]
    assert cache.get(NAME, bare, "other", strict=False) is None
    assert cache.get("content/two.ipynb", bare, "key", strict=False) is None


def test_what_ran_with_warnings_as_errors_counts_for_both(cache: execute.Cache):
    assert cache.get(NAME, executed(""), "key", strict=True) is None
    cache.put(NAME, executed("1"), "key", strict=True)
    assert cache.get(NAME, executed(""), "key", strict=True)
    assert cache.get(NAME, executed(""), "key", strict=False)


@given(data=st.data())
def test_damage_is_not_knowing(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    cache = execute.Cache(folder)
    cache.put(NAME, executed("12345"), "key", strict=True)
    (path,) = folder.iterdir()
    content = path.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    damaged = data.draw(
        st.sampled_from([content[:at], content[:at] + b"7" + content[at + 1 :], b"[]", b""])
    )
    path.write_bytes(damaged)
    known = cache.get(NAME, executed(""), "key", strict=True)
    assert known is None or known == executed("12345")


def test_the_cache_does_not_grow(cache: execute.Cache, tmp_path: Path):
    for number in range(3 * execute.KEPT):
        cache.put(NAME, executed("1"), f"key{number}", strict=False)
        os.utime(cache._path(NAME, f"key{number}"), (number, number))
    assert len(list((tmp_path / "cache").iterdir())) == execute.KEPT
    assert cache.get(NAME, executed(""), f"key{number}", strict=False)


class Kernel:
    """Puts out what the ledger has, and adds what the cell says."""

    at = ""

    def __init__(self, **_: object):
        pass

    def outputs(self, notebook_: dict, folder: Path, ledger: str) -> dict:
        (each,) = notebook_["cells"]
        ran = each | {"outputs": [ledger], "execution_count": 1}
        return notebook_ | {"cells": [ran], "metadata": {"ledger": [{"claim": each["source"][0]}]}}


def test_the_ledger_goes_to_the_notebook_that_reads_it(monkeypatch, tmp_path: Path):
    monkeypatch.setattr("scripts.kernels.Run", Kernel)
    monkeypatch.setattr(execute, "warm_up", lambda: None)
    cache, progress = execute.Cache(tmp_path / "cache"), Progress()
    for text, executed in (
        ("a", ["one", "quiet", "reader"]),
        ("a, in other words", ["one"]),
        ("b", ["one", "reader"]),
    ):
        notebooks = {  # the reader comes first in the book, and runs last
            "reader": notebook(cell("code", "own", "x", tags=["ledger"])),
            "quiet": notebook(cell("code", "quiet", "x")),
            "one": notebook(cell("code", text, "x")),
        }
        book = Book(tmp_path, {}, list(notebooks), notebooks, {})
        work, options = tmp_path / "work", {"strict": False, "limit": 9, "log": None}
        done = execute.fill(book, work, cache, progress, **options)
        assert sorted(done.executed) == executed
        rows = [{"notebook": "quiet", "claim": "q"}, {"notebook": "one", "claim": text[0]}]
        read = done.notebooks["reader"]["cells"][0]["outputs"][0]
        assert [json.loads(line) for line in read.splitlines()] == rows
        assert done.notebooks["reader"]["metadata"]["ledger"] == [{"claim": "o"}]


def test_a_stream_is_one_output_however_it_came():
    pieces = [
        {"output_type": "stream", "name": name, "text": text}
        for name, text in [("stdout", "a"), ("stdout", "b"), ("stderr", "c"), ("stdout", "d")]
    ]
    image = {"output_type": "display_data", "data": {}}
    found = joined([*pieces[:2], image, *pieces[2:]])
    assert [each.get("text") for each in found] == ["ab", None, "c", "d"]
    assert pieces[0]["text"] == "a"


@pytest.mark.parametrize(
    "name",
    ["PYTHONOPTIMIZE", "PYTHONSTARTUP", "PYTHONPATH", "PYTHONHOME", "IPYTHONDIR", "JUPYTER_PATH"]
    + ["MPLBACKEND", "MPLCONFIGDIR", "BASE_URL", "NODE_OPTIONS", "LD_PRELOAD", "SECRET_TOKEN"],
)
def test_the_environment_is_made_of_what_is_needed(name: str, monkeypatch, tmp_path: Path):
    monkeypatch.setenv(name, "hostile")
    assert environment.environment(tmp_path).get(name) != "hostile"


@pytest.mark.parametrize(
    "name",
    ["HOME", "LANG", "LC_ALL", "TMPDIR", "https_proxy", "SSL_CERT_FILE", "SYSTEMROOT"]
    + ["CUDA_VISIBLE_DEVICES", "BOOK_DEVICE", "BOOK_PDF", "LD_LIBRARY_PATH"],
)
def test_what_is_needed_is_there(name: str, monkeypatch, tmp_path: Path):
    monkeypatch.setenv(name, "needed")
    assert environment.environment(tmp_path)[name] == "needed"


def test_only_outputs_of_a_reasonable_size_are_published():
    assert execute.too_large(NAME, executed("x" * 1000)) == []
    (problem,) = execute.too_large(NAME, executed("x" * 5_000_000))
    assert 'cell 1 of 1 (id "x") has 4.8 MB of output; at most 4 MB' in problem
