"""What the tests share: the book, built once a run, and a small book to break."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from books import (
    ROOT,
    Build,
    Repository,
    SmallBook,
    create_small_book,
    read_report,
    run_build,
)
from hypothesis.configuration import set_hypothesis_home_dir

from scripts.build import alone

# Two test workers share two cores; torch takes this when it is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# CI tries the same examples every time; here, new ones, and those again that failed before.
set_hypothesis_home_dir(ROOT / "_build" / "hypothesis")
hypothesis.settings.register_profile(
    "book",
    deadline=None,  # the machine may be busy
    derandomize=bool(os.environ.get("CI")),  # which goes without the database of failures
    print_blob=True,
)
hypothesis.settings.load_profile("book")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes a `device` runs on each that this machine has."""
    if "device" in metafunc.fixturenames:
        import torch  # takes a second, and most tests do without it

        found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        metafunc.parametrize("device", ["cpu", *(name for name in found if found[name])])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of the built book come first: the build takes longest."""
    items.sort(key=lambda item: "built" not in getattr(item, "fixturenames", ()))
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        # Where a test names no dtype, it is float64, for the sake of the comparison.
        if parameters.get("device") == "mps" and str(parameters.get("dtype")) != "torch.float32":
            item.add_marker(pytest.mark.skip(reason="an Apple GPU has no float64"))


@pytest.fixture
def elsewhere() -> Iterator:
    """A device that is not there, for tests of what happens on a graphics card."""
    from elsewhere import pretended

    with pretended() as device:
        yield device


@pytest.fixture(scope="session")
def built(testrun_uid: str) -> Build:
    """The book, executed with warnings as errors and rendered, in _build/test: once a run.

    It has an execution cache of its own, so that a notebook runs once, and again only when it or
    what it depends on has changed. The cache is empty in CI.
    """
    folder = ROOT / "_build" / "test"
    folder.mkdir(parents=True, exist_ok=True)
    result = folder / "pytest.json"
    with alone(folder / "pytest.lock"):  # the other test worker may want it, too
        known = json.loads(result.read_text()) if result.exists() else {}
        if known.get("run") != testrun_uid:
            build = run_build(ROOT, folder, "--warnings-are-errors")
            known = {"run": testrun_uid, "status": build.status, "output": build.output}
            result.write_text(json.dumps(known))
    return Build(known["status"], known["output"], read_report(folder), folder)


@pytest.fixture
def small_book(tmp_path: Path) -> SmallBook:
    """A small book to break. Its folder has a space in its name."""
    return create_small_book(tmp_path / "a book")


@pytest.fixture
def repository() -> Iterator[Repository]:
    """A repository without files, on loopback, for set-up cells to fetch from."""
    with Repository().running() as found:
        yield found
