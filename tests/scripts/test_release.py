"""A release is one command: it is made whole, or nothing has changed. In a temporary clone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from books import ROOT
from sources import notebooks, read_notebook, source

SOMEBODY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Somebody"), ("EMAIL", "somebody@example.org"))
}
VERSION = "7.8.9"


class Clone:
    """A repository with all of the book's sources, in one commit."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in filter(None, names.split("\0")):
            if (ROOT / name).exists():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, root / name)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit()

    def git(self, *arguments: str) -> str:
        """What git answers."""
        command = ["git", *arguments]
        env = os.environ | SOMEBODY
        done = subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "All")

    def write(self, name: str, text: str) -> None:
        """Write a file, and commit it."""
        (self.root / name).write_text(text)
        self.commit()

    def read(self, name: str) -> str:
        """The text of a file."""
        return (self.root / name).read_text()

    def release(self, version: str, *options: str) -> subprocess.CompletedProcess:
        """Run the command."""
        command = [sys.executable, "scripts/release.py", version, *options]
        env = os.environ | SOMEBODY | {"PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True)

    def state(self) -> tuple[str, ...]:
        """What a release that fails leaves alone."""
        return self.git("status", "--porcelain"), self.git("log", "--oneline"), self.git("tag")


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Clone:
    """A clone with something new in its changelog."""
    clone = Clone(tmp_path_factory.mktemp("clone"))
    history = clone.read("CHANGELOG.md")
    head, unreleased, rest = history.partition("## Unreleased\n")
    assert unreleased, "CHANGELOG.md needs the heading `## Unreleased`"
    clone.write("CHANGELOG.md", f"{head}{unreleased}\n- A thing that is new.\n{rest}")
    return clone


@pytest.fixture
def clone(sources: Clone, tmp_path: Path) -> Clone:
    """A copy of it for one test."""
    copy = object.__new__(Clone)
    copy.root = tmp_path / "clone"
    shutil.copytree(sources.root, copy.root)
    return copy


def passing(script: str) -> list[str]:
    """Options for checks that run a line of Python."""
    return ["--checks", f"{sys.executable} -c '{script}'"]


def test_a_release_is_made_whole(clone: Clone):
    before = clone.git("rev-parse", "HEAD")
    done = clone.release(VERSION, *passing('print("checked")'))
    assert done.returncode == 0, done.stderr
    assert "checked" in done.stdout
    assert f"git push --atomic origin main v{VERSION}" in done.stdout

    assert clone.git("status", "--porcelain") == ""
    assert clone.git("rev-parse", "HEAD~1") == before
    assert clone.git("cat-file", "-t", f"v{VERSION}") == "tag"  # annotated
    assert clone.git("rev-parse", f"v{VERSION}^{{commit}}") == clone.git("rev-parse", "HEAD")

    citation = yaml.safe_load(clone.read("CITATION.cff"))
    assert citation["version"] == VERSION
    history = clone.read("CHANGELOG.md")
    date = str(citation["date-released"])
    assert f"## Unreleased\n\n## {VERSION} - {date}\n\n- A thing that is new." in history
    for name in notebooks(clone.root):
        texts = [source(each) for each in read_notebook(clone.root / name)["cells"]]
        assert any(f'RELEASE = "v{VERSION}"' in text for text in texts), name
    changed = set(clone.git("diff", "--name-only", before).splitlines())
    assert changed == {"CITATION.cff", "CHANGELOG.md", *notebooks(clone.root)}


def test_nothing_has_changed_when_the_checks_fail(clone: Clone):
    before = clone.state()
    done = clone.release(VERSION, *passing("raise SystemExit(1)"))
    assert done.returncode == 1
    assert "failed" in done.stderr and "Nothing has been released." in done.stderr
    assert clone.state() == before


def test_nothing_has_changed_when_it_is_stopped(clone: Clone):
    before = clone.state()
    stop = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(1)"
    done = clone.release(VERSION, *passing(stop))
    assert done.returncode == 130, done.stderr
    assert clone.state() == before


def test_each_release_is_new_and_above_the_last(clone: Clone):
    assert clone.release(VERSION, *passing("")).returncode == 0
    refusals = {VERSION: "exists", "7.8.8": "below the last release, 7.8.9", "7.8.10": "CHANGELOG"}
    for version, words in refusals.items():
        before = clone.state()
        done = clone.release(version, *passing(""))
        assert done.returncode == 1
        assert words in done.stderr
        assert clone.state() == before


@pytest.mark.parametrize("version", ["", "1", "1.2", "v1.2.3", "1.2.3rc1", "1.02.3", "1.2.3\n"])
def test_a_version_is_three_numbers(clone: Clone, version: str):
    before = clone.state()
    done = clone.release(version, *passing(""))
    assert done.returncode == 1
    assert "VERSION must be three numbers" in done.stderr
    assert clone.state() == before


def test_the_tree_must_be_clean(clone: Clone):
    (clone.root / "content" / "new.md").write_text("# New")
    before = clone.state()
    done = clone.release(VERSION, *passing(""))
    assert done.returncode == 1
    assert "content/new.md" in done.stderr
    assert clone.state() == before


def test_a_file_that_does_not_say_its_version_stops_it_before_anything_is_written(clone: Clone):
    text = clone.read("CITATION.cff")
    lines = [line for line in text.splitlines() if not line.startswith("date-released:")]
    clone.write("CITATION.cff", "\n".join(lines) + "\n")
    before = clone.state()
    done = clone.release(VERSION, *passing(""))
    assert done.returncode == 1
    assert "date-released" in done.stderr
    assert clone.state() == before
