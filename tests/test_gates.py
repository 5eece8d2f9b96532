"""The build stops at what it should stop at, keeps the last good site, and leaves nothing running.

Each test breaks a small book that has the project's own scripts, theme and settings.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from books import SmallBook, cell, notebook

ALIVE = "print('executed')"
SLEEPS = "import time\nprint('asleep', flush=True)\ntime.sleep(300)"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle r="9"/></svg>'


def wait_until(condition, seconds: float = 30) -> None:
    """Wait for a condition to hold; fail if it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def good_book(small_book: SmallBook) -> SmallBook:
    """The small book with a site already in place, which a failing build must leave alone."""
    site = small_book.root / "_build" / "html"
    site.mkdir(parents=True)
    (site / "index.html").write_text("the last good site")
    return small_book


def assert_stopped(book: SmallBook, *options: str, words: str = "") -> list[str]:
    """The build fails, the last good site stays, no process is left; returns the problems.

    One of the problems has the `words`.
    """
    build = book.build(*options)
    assert build.status == 1, build.output
    assert "The last good site is unchanged." in build.output
    assert "Traceback" not in build.output.partition("raised an exception")[0]
    assert (build.html / "index.html").read_text() == "the last good site"
    assert list(build.html.iterdir()) == [build.html / "index.html"]
    wait_until(lambda: book.processes() == [], seconds=10)
    assert any(words in problem for problem in build.report["problems"]), build.output
    return build.report["problems"]


def test_what_goes_wrong_in_notebooks_is_told_cell_by_cell(good_book: SmallBook):
    broken = {
        "raises": "divide(1, 0)",
        "warns": "import warnings\nwarnings.warn('mind the gap')",
        "dies": "import os\nos._exit(3)",
        "exits": "import sys\nsys.exit('enough')",
        "hangs": "import time\ntime.sleep(100)",
        "floods": "for i in range(60):\n    print('x' * 100_000)",
    }
    for name, text in broken.items():
        cells = [
            cell("markdown", f"# {name}", f"{name}-title"),
            cell("code", "def divide(a, b):\n    return a / b", f"{name}-define"),
            cell("code", " ", f"{name}-blank"),
            cell("code", text, f"{name}-call"),
            cell("code", "print('never')", f"{name}-after"),
        ]
        good_book.write(f"{name}.ipynb", notebook(*cells))
    problems = assert_stopped(good_book, "--warnings-are-errors", "--limit", "6")
    found = {
        problem.partition(".ipynb")[0].removeprefix("content/"): problem for problem in problems
    }
    assert found.keys() == broken.keys()
    for name, problem in found.items():
        assert f'cell 4 of 5 (id "{name}-call"' in problem
        assert len(problem.splitlines()) < 30
    assert "In [2]) raised an exception" in found["raises"]
    assert "return a / b" in found["raises"]
    assert "ZeroDivisionError: division by zero" in found["raises"]
    assert "UserWarning: mind the gap" in found["warns"]
    assert "ended the kernel" in found["dies"]
    assert "did not end within 6" in found["hangs"]
    assert "has 5.7 MB of output; at most 4 MB" in found["floods"]


def test_no_variable_switches_a_claim_off(good_book: SmallBook, tmp_path: Path):
    good_book.write("claim.ipynb", notebook(cell("code", "assert 1 == 2, 'it is false'", "claim")))
    hostile = tmp_path / "hostile"
    (hostile / "profile_default" / "startup").mkdir(parents=True)
    for name in ("sitecustomize.py", "math.py", "startup.py", "profile_default/startup/a.py"):
        (hostile / name).write_text("import builtins, sys\nsys.exit = builtins.print\n1 / 0\n")
    spec = hostile / "kernels" / "python3"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text('{"argv": ["true"], "display_name": "", "language": ""}')
    build = good_book.build(
        PYTHONOPTIMIZE="1",
        PYTHONSTARTUP=str(hostile / "startup.py"),
        PYTHONWARNINGS="ignore",
        IPYTHONDIR=str(hostile),
        JUPYTER_PATH=str(hostile),
        JUPYTER_DATA_DIR=str(hostile),
        MPLBACKEND="nonsense",
        NODE_OPTIONS="--no-such-option",
        BASE_URL="/elsewhere",
    )
    assert build.status == 1
    assert "AssertionError: it is false" in build.output


UNRESOLVED = {
    "heading": "[nowhere](#no-such-heading)",
    "citation": "{cite}`nobody-1900`",
    "directive": "```{frobnicate}\ntext\n```",
    "role": "{frobnicate}`text`",
    "image": "![A drawing.](missing.svg)",
}
LEFT_TO_THE_TEMPLATE = {"link": "[nowhere](nowhere.md)", "alt": "![](drawing.svg)"}


@pytest.mark.parametrize("pages", [UNRESOLVED, LEFT_TO_THE_TEMPLATE], ids=["MyST", "template"])
def test_what_cannot_be_resolved_stops_the_build(good_book: SmallBook, pages: dict[str, str]):
    good_book.write("drawing.svg", SVG)
    for name, text in pages.items():
        good_book.write(f"{name}.md", f"# A page\n\n{text}\n")
    problems = assert_stopped(good_book)
    found = {problem.partition(".md")[0].removeprefix("content/") for problem in problems}
    assert found == pages.keys()


def test_what_does_not_harm_a_reader_builds(small_book: SmallBook):
    defines = notebook(cell("markdown", "# D", "title"), cell("code", "def f(): ...", "define"))
    small_book.write("defines.ipynb", defines)
    skipped = cell("code", "import no_such_module", "gpu", tags=["skip-execution"])
    small_book.write("skips.ipynb", notebook(cell("markdown", "# S", "title"), skipped))
    old = notebook(cell("code", "print('old')", "", tags=["hide-input"]))
    old["nbformat_minor"] = 4
    del old["cells"][0]["id"], old["metadata"]["kernelspec"]
    small_book.write("old.ipynb", old)
    expected = cell("code", "1 / 0", "raises", tags=["raises-exception"])
    small_book.write("raises.ipynb", notebook(cell("markdown", "# R", "title"), expected))
    small_book.write("own.md", "# Own\n\n[below](#second-part)\n\n## Second part\n\nText.\n")
    for name in ("two words.svg", "größe.svg"):
        small_book.write(name, SVG)
    small_book.write("names.md", "# Names\n\n![A dot.](<two words.svg>) ![A dot.](größe.svg)\n")
    small_book.write("x;touch y;.ipynb", notebook(cell("code", "print(__debug__)", "x")))
    content = small_book.root / "content"
    (content / ".#own.md").symlink_to("somebody@somewhere.1234")  # an editor's lock
    (content / "other.svg").symlink_to("größe.svg")
    build = small_book.build()
    assert build.status == 0, build.output
    assert "old" in (build.html / "content" / "old.html").read_text()
    assert "ZeroDivisionError" in (build.html / "content" / "raises.html").read_text()
    assert len(list((build.html / "assets").glob("*.svg"))) >= 2


def test_files_from_outside_of_the_book_are_not_published(good_book: SmallBook):
    outside = "../../../outside"
    for suffix, content in {"txt": "secret", "svg": SVG + "<!-- -->", "mjs": "export {}"}.items():
        (good_book.root / f"outside.{suffix}").write_text(content)
        (good_book.root / "_build" / f"outside.{suffix}").write_text(content)
    good_book.write("nested.txt", f"```{{include}} {outside}.txt\n```\n")
    pages = {
        "include": f"```{{include}} {outside}.txt\n```",
        "literal": f"```{{literalinclude}} {outside}.txt\n```",
        "nested": "```{include} nested.txt\n```",
        "link": f"[file]({outside}.txt)",
        "image": f"![A drawing.]({outside}.svg)",
        "figure": f"```{{figure}} {outside}.svg\n:alt: A drawing.\n```",
        "download": f"{{download}}`file <{outside}.txt>`",
        "widget": f"```{{anywidget}} {outside}.mjs\n{{}}\n```",
    }
    for name, text in pages.items():
        good_book.write(f"{name}.md", f"# A page\n\n{text}\n")
    problems = assert_stopped(good_book, words="outside.")
    found = {problem.partition(".md: ")[0].removeprefix("content/") for problem in problems}
    assert found == pages.keys()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("target", ["..", "/etc/hostname", "nowhere", "../../outside.txt"])
def test_links_that_lead_out_of_the_book_are_refused(good_book: SmallBook, target: str):
    (good_book.root / "content" / "link.txt").symlink_to(target)
    assert_stopped(good_book, words="content/link.txt is a link to")


def test_a_stale_module_stops_the_build(good_book: SmallBook):
    exported = cell("code", "def twice(x):\n    return 2 * x", "define", tags=["export"])
    good_book.write("one.ipynb", notebook(exported))
    good_book.write("tools/torch_mlp.py", "def twice(x):\n    return 3 * x\n")
    assert_stopped(good_book, words="run `make export`")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[]", "is not a notebook of format 4"),
        ("{", "is not a notebook"),
        ('{"nbformat": 4}', "cells are not those of nbformat"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "cells are not"),
        (b"\xff\xfe".decode("latin-1"), "is not a notebook"),
        ('{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"name": "cobol"}}}', "python3"),
    ],
)
def test_what_is_no_notebook_is_named(good_book: SmallBook, content: str, words: str):
    good_book.write("bad.ipynb", "")
    (good_book.root / "content" / "bad.ipynb").write_bytes(content.encode("latin-1"))
    problems = assert_stopped(good_book, words=words)
    assert any("content/bad.ipynb" in problem for problem in problems)


@pytest.mark.parametrize("text", [None, "project: [", "- a list", "project: {toc: [{file: ../x}]}"])
def test_a_bad_myst_yml_is_named(good_book: SmallBook, text: str | None):
    path = good_book.root / "myst.yml"
    path.unlink() if text is None else path.write_text(text)
    assert_stopped(good_book, words="myst.yml")


def test_a_failing_template_stops_the_build(good_book: SmallBook):
    (good_book.root / "theme" / "render.py").write_text("raise SystemExit('the theme is ill')")
    assert_stopped(good_book, words="the theme is ill")


def test_a_template_that_hangs_is_stopped(good_book: SmallBook):
    (good_book.root / "theme" / "render.py").write_text("import time\ntime.sleep(300)")
    assert_stopped(good_book, "--limit", "5", words="MyST did not end within 5 s")


def test_only_what_changed_is_executed_again(small_book: SmallBook):
    imports = "%%time\nimport sys\nsys.path.insert(0, '.')\nfrom tools import {0}\nprint({0}.VALUE)"
    for name in ("first", "second"):
        small_book.write(f"tools/{name}.py", "VALUE = 1\n")
        small_book.write(f"{name}.ipynb", notebook(cell("code", imports.format(name), name)))
    build = small_book.build()
    assert build.status == 0, build.output
    assert sorted(build.report["executed"]) == ["content/first.ipynb", "content/second.ipynb"]

    again = small_book.build()
    assert "nothing has changed" in again.output
    assert again.report["executed"] == {}

    (again.html / "index.html").write_text("spoilt")
    small_book.write("tools/second.py", "VALUE = 22\n")
    for kept in (small_book.root / "_build" / "cache").iterdir():
        if kept.stat().st_size and "first" in kept.read_text():
            kept.write_text(kept.read_text()[:-30])  # as a full disk leaves it
    changed = small_book.build()
    assert changed.status == 0, changed.output
    assert changed.report["unchanged"] == ["content/first.ipynb"]
    assert list(changed.report["executed"]) == ["content/second.ipynb"]
    assert "22" in (changed.html / "content" / "second.html").read_text()
    assert "spoilt" not in (changed.html / "index.html").read_text()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_a_stopped_build_leaves_the_site_and_no_process(good_book: SmallBook, name: str):
    good_book.write("slow.ipynb", notebook(cell("code", SLEEPS, "sleeps")))
    command = [sys.executable, "-m", "scripts.build"]
    build = subprocess.Popen(command, cwd=good_book.root, stdout=subprocess.PIPE)
    wait_until(lambda: any("ipykernel_launcher" in line for line in good_book.processes()))
    os.kill(build.pid, getattr(signal, name))
    assert build.wait(timeout=30) != 0
    build.stdout.close()
    site = good_book.root / "_build" / "html"
    assert (site / "index.html").read_text() == "the last good site"
    wait_until(lambda: good_book.processes() == [], seconds=10)


def test_a_build_killed_between_two_renames_is_undone(good_book: SmallBook):
    (good_book.root / "_build" / "html").rename(good_book.root / "_build" / "html.old")
    good_book.write("page.md", "# A page\n\n[nowhere](nowhere.md)\n")
    assert_stopped(good_book, words="nowhere.md")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_the_preview_executes_after_each_save_and_leaves_nothing(small_book: SmallBook, name: str):
    small_book.write("one.ipynb", notebook(cell("code", "print('first', 40 + 2)", "one")))
    port = 3700 + os.getpid() % 1000
    command = [sys.executable, "-m", "scripts.serve"]
    log = (small_book.root / "log").open("w")
    serve = subprocess.Popen(
        command, cwd=small_book.root, env=os.environ | {"PORT": str(port)}, stdout=log, stderr=log
    )

    def shows(words: str) -> bool:
        try:
            with urlopen(f"http://localhost:{port}/content/one.html", timeout=5) as answer:
                return words in answer.read().decode()
        except (URLError, ConnectionError, TimeoutError):
            return False

    try:
        wait_until(lambda: shows("first 42"), seconds=60)
        small_book.write("one.ipynb", notebook(cell("code", "print('second', 40 + 3)", "one")))
        wait_until(lambda: shows("second 43"), seconds=60)
        (small_book.root / "myst.yml").write_text("project: [")
        wait_until(lambda: "cannot be read" in (small_book.root / "log").read_text())
        assert serve.poll() is None
    finally:
        os.kill(serve.pid, getattr(signal, name))
        serve.wait(timeout=30)
        log.close()
    wait_until(lambda: small_book.processes() == [], seconds=10)
