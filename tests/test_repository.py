"""The files around the book agree with each other."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest
import yaml
from books import ROOT, Build
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from scripts import export
from scripts.sources import Book, code_cells, imports, read_notebook, tree_of_cell
from scripts.stage import stage

BOOK = Book.read(ROOT)
CUDA = ("cuda-", "nvidia-", "triton")
# Modules that are imported as part of another package, which cannot do without them.
PARTS = {"IPython": "ipykernel", "nbformat": "nbclient"}
# What runs before anything is installed, or where nothing of the book is.
ALONE = {"scripts/alone.py", "scripts/setup_cell.py", "content/tools/fetch.py"}
# What imports JAX, for `make bench`, in a function that the notebooks do not call.
BENCH = {"content/tools/peers.py"}


providers = cache(packages_distributions)


@cache
def files() -> list[str]:
    """The files of the repository: tracked, or new and not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a git repository")
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def requirements(name: str) -> dict[str, list[Requirement]]:
    """The requirements in a file, by package."""
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text and not text.startswith("-"):
            requirement = Requirement(text)
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def pinned() -> dict[str, Version]:
    """The versions in constraints.txt for this Python and platform."""
    found = {}
    for name, pins in requirements("constraints.txt").items():
        for pin in pins:
            (specifier,) = pin.specifier
            assert specifier.operator == "==", pin
            if pin.marker is None or pin.marker.evaluate():
                assert name not in found, f"{name} is pinned twice"
                found[name] = Version(specifier.version)
    return found


def packages(name: str) -> dict[str, set[str]]:
    """What a program or notebook imports of other people's, with the packages that have it."""
    data = (ROOT / name).read_bytes()
    if name.endswith(".ipynb"):
        trees = [tree_of_cell(text) for _, text in code_cells(read_notebook(data, name))]
    else:
        trees = [ast.parse(data)]
    modules = {each.partition(".")[0] for tree in trees for each in imports(tree)} - {""}
    python = (Path(each).with_suffix("") for each in files() if each.endswith(".py"))
    ours = {part for each in python for part in each.parts}
    return {
        module: {canonicalize_name(each) for each in providers().get(module, [])}
        for module in modules - sys.stdlib_module_names - ours
    }


def test_every_requirement_is_pinned_to_a_version_that_it_allows():
    pins = pinned()
    for file in ("requirements.txt", "requirements-dev.txt"):
        for name, (requirement,) in requirements(file).items():
            assert pins[name] in requirement.specifier, requirement


def test_everything_installed_is_pinned():
    if Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("not running in .venv")
    pins = pinned()
    installed = {
        canonicalize_name(each.name): Version(Version(each.version).public)
        # Not all of sys.path: a test may have imported setuptools, which adds what it brings along.
        for each in distributions(path=[sysconfig.get_path("purelib")])
    }
    installed.pop("pip")
    wrong = {name: version for name, version in installed.items() if pins.get(name) != version}
    assert {name for name in wrong if not name.startswith(CUDA)} == set()


def test_what_is_imported_is_required():
    readers = requirements("requirements.txt").keys()
    everybody = readers | requirements("requirements-dev.txt").keys()
    missing = []
    for name in files():
        folder, _, file = name.partition("/")
        # Among the tests there are programs to be read, not run.
        if folder == "tests" and not Path(file).name.startswith(("test_", "conftest", "books")):
            continue
        if folder in ("content", "scripts", "theme", "tests") and name.endswith((".py", ".ipynb")):
            for_all = folder == "tests" or name in BENCH
            required = set() if name in ALONE else everybody if for_all else readers
            for module, owners in packages(name).items():
                if not owners & required and PARTS.get(module) not in required:
                    missing.append(f"{name}: {module}")
    assert missing == []


def test_colab_has_what_the_notebooks_import_in_versions_that_the_book_allows():
    colab, ours = requirements("requirements-colab.txt"), requirements("requirements.txt")
    names = [*BOOK.notebooks, *BOOK.modules.values()]
    needed = set().union(*(owners for name in names for owners in packages(name).values()))
    assert {"torch", "matplotlib", "scikit-learn"} <= needed
    for name in needed & ours.keys():
        (requirement,), ((specifier,),) = ours[name], [each.specifier for each in colab[name]]
        assert specifier.version.replace("*", "0") in requirement.specifier, name


def test_addresses_of_the_book_are_those_in_myst_yml():
    owner, _, repository = BOOK.github.partition("/")
    own = {owner, f"{owner.lower()}.github.io"}
    for name in files():
        if name == "myst.yml" or name.endswith((".png", ".woff2")):
            continue
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace")
        found = set(re.findall(rf"([\w.-]+)/{re.escape(repository)}\b", text))
        found |= {owner} if owner in text else set()
        # What is generated may name it; all else would name ours in a fork.
        generated = name in ("README.md", *export.PAGES, *BOOK.notebooks)
        assert found <= (own if generated else set()), name


def test_the_readme_leads_to_each_notebook_and_its_page(built: Build):
    targets = re.findall(r"\]\((https://[^)\s]+)\)", (ROOT / "README.md").read_text("utf-8"))
    pages = [each.removeprefix(BOOK.address) for each in targets if each.startswith(BOOK.address)]
    assert [page for page in pages if not (built.html / f"./{page}").exists()] == []
    assert len(pages) == 1 + len(BOOK.notebooks)
    start = f"https://colab.research.google.com/github/{BOOK.github}/blob/main/"
    colab = [each.removeprefix(start) for each in targets if each.startswith(start)]
    assert colab == list(BOOK.notebooks)


def test_a_fork_names_only_itself_once_it_has_said_where_it_is(tmp_path: Path):
    shutil.copytree(ROOT / "content", tmp_path / "content")
    for name in ("README.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    settings = (ROOT / "myst.yml").read_text(encoding="utf-8")
    settings = settings.replace(BOOK.github, "Alice/my-book")
    (tmp_path / "myst.yml").write_text(settings, encoding="utf-8")
    export.write(Book.read(tmp_path))
    fork = Book.read(tmp_path)
    stage(fork, tmp_path / "staged", {})
    assert "https://alice.github.io/my-book/" in (tmp_path / "README.md").read_text("utf-8")
    assert "url: https://alice.github.io/my-book" in (tmp_path / "staged/myst.yml").read_text()
    original = re.compile(re.escape(BOOK.github.partition("/")[0]).encode(), re.IGNORECASE)
    named = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in named if original.search(path.read_bytes())] == []


def test_the_citation_agrees_with_the_book_and_claims_no_release_before_there_is_one():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = BOOK.settings["project"]
    assert citation["title"] == project["title"]
    names = [each["name"] for each in citation["authors"]]
    assert names == [each["name"] for each in project["authors"]]
    history = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = [*re.findall(r"^## (\d\S+) - (\S+)", history, re.MULTILINE), (None, "None")][0]
    assert (citation.get("version"), str(citation.get("date-released"))) == released


def test_every_link_to_a_file_leads_to_one():
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob("*.md")]
    links = re.findall(r"\]\(([^)#:]+)\)", "\n".join(texts))
    assert [each for each in links if not (ROOT / each).exists()] == []


def test_the_theme_s_packages_have_exact_versions():
    package = json.loads((ROOT / "theme" / "package.json").read_text())
    versions = {**package.get("dependencies", {}), **package.get("devDependencies", {})}
    for name, version in versions.items():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version), f"{name}: {version}"


def test_files_are_small():
    large = [name for name in files() if (ROOT / name).stat().st_size > 500_000]
    assert large == []
