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

from scripts import release
from scripts.sources import Book, source

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

    def git(self, *arguments: str) -> str:
        """What git answers."""
        command = ["git", "-C", str(self.root), *arguments]
        done = subprocess.run(command, env=os.environ | SOMEBODY, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def fill(self) -> None:
        """Copy the book, with something new in its changelog, and commit it."""
        command = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        for name in Clone(ROOT).git(*command).split("\0"):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.root / name)
        head, unreleased, rest = self.read("CHANGELOG.md").partition("## Unreleased\n")
        assert unreleased, "CHANGELOG.md needs the heading `## Unreleased`"
        news = f"{head}{unreleased}\n- A thing that is new.\n{rest}"
        (self.root / "CHANGELOG.md").write_text(news)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "All")

    def read(self, name: str) -> str:
        """The text of a file."""
        return (self.root / name).read_text()

    def release(self, version: str, script: str = "") -> subprocess.CompletedProcess:
        """Run the command, with a line of Python for its checks."""
        checks = f"{sys.executable} -c '{script}'"
        command = [sys.executable, "-m", "scripts.release", version, "--checks", checks]
        env = os.environ | SOMEBODY | {"PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True)

    def state(self) -> tuple[str, ...]:
        """What a release that fails leaves alone."""
        return self.git("status", "--porcelain"), self.git("log", "--oneline"), self.git("tag")

    def refuses(self, version: str, words: str, script: str = "") -> None:
        """Assert that a release fails with these words, and that nothing has changed."""
        before = self.state()
        done = self.release(version, script)
        assert done.returncode == 1
        assert words in done.stderr and "Nothing has been released." in done.stderr
        assert self.state() == before


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Clone:
    """A clone for all tests."""
    clone = Clone(tmp_path_factory.mktemp("clone"))
    clone.fill()
    return clone


@pytest.fixture
def clone(sources: Clone, tmp_path: Path) -> Clone:
    """A copy of it for one test."""
    return Clone(shutil.copytree(sources.root, tmp_path / "clone"))


def test_a_release_is_made_whole(clone: Clone):
    before = clone.git("rev-parse", "HEAD")
    done = clone.release(VERSION, 'print("checked")')
    assert done.returncode == 0, done.stderr
    assert "checked" in done.stdout
    assert f"git push --atomic origin main v{VERSION}" in done.stdout

    assert clone.git("status", "--porcelain") == ""
    assert clone.git("rev-parse", "HEAD~1") == before
    assert clone.git("cat-file", "-t", f"v{VERSION}") == "tag"  # annotated
    assert clone.git("rev-parse", f"v{VERSION}^{{commit}}") == clone.git("rev-parse", "HEAD")

    citation = yaml.safe_load(clone.read("CITATION.cff"))
    assert citation["version"] == VERSION
    date = str(citation["date-released"])
    news = f"## Unreleased\n\n## {VERSION} - {date}\n\n- A thing that is new."
    assert news in clone.read("CHANGELOG.md")
    notebooks = Book.read(clone.root).notebooks
    for name, notebook in notebooks.items():
        assert any(f"/v{VERSION}/content" in source(cell) for cell in notebook["cells"]), name
    assert f'RELEASE = "v{VERSION}"' in clone.read("content/tools/fetch.py")
    assert f'version = "{VERSION}"' in clone.read("pyproject.toml")
    changed = set(clone.git("diff", "--name-only", before).splitlines())
    ours = {"CITATION.cff", "CHANGELOG.md", "pyproject.toml", "content/tools/fetch.py"}
    assert changed == {*ours, *notebooks}


def test_each_release_is_new_and_above_the_last(clone: Clone):
    assert clone.release(VERSION).returncode == 0
    refusals = {VERSION: "exists", "7.8.8": "below the last release, 7.8.9", "7.8.10": "CHANGELOG"}
    for version, words in refusals.items():
        clone.refuses(version, words)


def test_a_version_is_three_numbers(clone: Clone):
    for version in ["", "1", "1.2", "v1.2.3", "1.2.3rc1", "1.02.3", "1.2.3\n"]:
        clone.refuses(version, "VERSION must be three numbers")


def test_the_tree_must_be_clean(clone: Clone):
    (clone.root / "content" / "new.md").write_text("# New")
    clone.refuses(VERSION, "content/new.md")


def test_nothing_has_changed_when_the_checks_fail(clone: Clone):
    clone.refuses(VERSION, "failed", "raise SystemExit(1)")


@pytest.mark.parametrize("what", ["commit", "tag"])
def test_nothing_has_changed_when_git_cannot_sign(clone: Clone, what: str):
    clone.git("config", f"{what}.gpgSign", "true")
    clone.git("config", "gpg.program", "false")
    clone.refuses(VERSION, f"git {what}: error: gpg failed")


def test_what_is_committed_during_the_checks_stays(clone: Clone):
    done = clone.release(
        VERSION,
        'import subprocess as s; open("new", "w").close(); s.run(["git", "add", "new"]); '
        's.run(["git", "commit", "-qm", "Other", "new"]); raise SystemExit(1)',
    )
    assert done.returncode == 1
    assert clone.git("status", "--porcelain") == ""
    assert clone.git("log", "--format=%s").splitlines() == ["Other", "All"]


def test_what_is_changed_during_the_checks_stays_and_is_not_released(clone: Clone):
    done = clone.release(VERSION, 'open("README.md", "w").close()')
    assert done.returncode == 1 and "README.md" in done.stderr
    assert clone.state() == ("M README.md", clone.git("log", "--oneline"), "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals")
def test_nothing_has_changed_when_it_is_stopped(clone: Clone):
    before = clone.state()
    done = clone.release(
        VERSION, "import os, signal, time; os.kill(os.getppid(), signal.SIGTERM); time.sleep(9)"
    )
    assert done.returncode == 130, done.stderr
    assert clone.state() == before


@pytest.mark.parametrize("after", ["write", "commit", "tag"])
def test_nothing_has_changed_when_it_is_stopped_between_two_steps(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, after: str
):
    before, git, write = clone.state(), release.git, release.export.write

    def stopped_git(root: Path, command: str, *arguments: str) -> str:
        answer = git(root, command, *arguments)
        if command == after and "--message" in arguments:
            raise KeyboardInterrupt
        return answer

    def stopped_write(book: Book) -> None:
        write(book)
        if after == "write":
            raise KeyboardInterrupt

    monkeypatch.setattr(release, "git", stopped_git)
    monkeypatch.setattr(release.export, "write", stopped_write)
    for variable, value in SOMEBODY.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(KeyboardInterrupt):
        release.release(clone.root, VERSION, f"{sys.executable} -V")
    assert clone.state() == before
