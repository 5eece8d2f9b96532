"""Make a release: the commit and the tag that notebooks outside a clone fetch their modules from.

    python -m scripts.release 1.2.3

Runs the checks; then sets the version and its date in CITATION.cff and CHANGELOG.md, writes what is
generated, commits, and creates the annotated tag v1.2.3. Where something is wrong it says so, and
everything is as it was. It pushes nothing.
"""

from __future__ import annotations

import argparse
import datetime
import re
import shlex
import subprocess
import sys
from pathlib import Path

from scripts import cells, export
from scripts.processes import interruptible
from scripts.sources import ROOT, Book, BookError, replace_text

CHECKS = "make lint test"
CITED = re.compile(r"^(version|date-released):.*\n?", re.MULTILINE)
UNRELEASED = re.compile(r"^## Unreleased\n(?P<entry>.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)


def git(root: Path, *arguments: str) -> str:
    """What git answers. Raises BookError with what it complains about."""
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
    if done.returncode:
        raise BookError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def check_start(root: Path, version: str) -> None:
    """Raises BookError unless this version can be released from what is here."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise BookError(f"VERSION must be three numbers, as in 1.2.3, not {version!r}")
    if changes := git(root, "status", "--porcelain"):
        raise BookError(f"there are changes that are not committed:\n{changes}")
    if git(root, "tag", "--list", f"v{version}"):
        raise BookError(f"the tag v{version} exists; a release never changes")
    before = cells.release(root)
    if [*map(int, version.split("."))] < [*map(int, before.split("."))]:
        raise BookError(f"VERSION must not be below the last release, {before}; it is {version}")


def set_version(root: Path, version: str, date: str) -> None:
    """Write the version into all files that name it. Raises BookError before the first one."""
    citation, changelog = root / "CITATION.cff", root / "CHANGELOG.md"
    history = changelog.read_text(encoding="utf-8")
    news = UNRELEASED.search(history)
    if not news or not news["entry"].strip():
        raise BookError("CHANGELOG.md has nothing below `## Unreleased`: say what is new")
    entry = f"## Unreleased\n\n## {version} - {date}\n{news['entry']}"
    replace_text(changelog, history[: news.start()] + entry + history[news.end() :])
    text = CITED.sub("", citation.read_text(encoding="utf-8")).rstrip("\n")
    replace_text(citation, f"{text}\nversion: {version}\ndate-released: {date}\n")
    export.write(Book.read(root))


def release(root: Path, version: str, checks: str) -> str:
    """Make the release; returns what to do next. Raises BookError."""
    check_start(root, version)
    print(f"Running `{checks}`", flush=True)
    if subprocess.call(shlex.split(checks), cwd=root):
        raise BookError(f"`{checks}` failed")
    check_start(root, version)  # somebody may have been at work meanwhile
    tag, date = f"v{version}", datetime.datetime.now(datetime.UTC).date().isoformat()
    start = git(root, "rev-parse", "HEAD")
    try:
        set_version(root, version, date)
        git(root, "commit", "--all", "--message", f"Release {tag}")
        git(root, "tag", "--annotate", tag, "--message", f"{tag}, {date}")
    except BaseException:
        git(root, "reset", "--hard", "--quiet", start)
        if git(root, "tag", "--list", tag):
            git(root, "tag", "--delete", tag)
        raise
    branch = git(root, "branch", "--show-current")
    return f"Released {tag}. To publish it: git push --atomic origin {branch} {tag}"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make a release.")
    parser.add_argument("version", help="three numbers, as in 1.2.3")
    parser.add_argument("--checks", default=CHECKS, help="what must pass; default: %(default)s")
    arguments = parser.parse_args()
    try:
        with interruptible():
            print(release(ROOT, arguments.version, arguments.checks))
    except (BookError, KeyboardInterrupt) as error:
        reason = str(error) or "stopped"
        print(f"release: {reason}\nNothing has been released.", file=sys.stderr)
        return 1 if isinstance(error, BookError) else 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
