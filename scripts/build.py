"""Build the book: execute what changed, render the site, check it, and only then put it in place.

    python -m scripts.build             build _build/html
    python -m scripts.build --to DIR    build DIR/html

MyST works in a copy of the sources, DIR/work. So whatever happens the last good site stays where
it is, and what is edited during a build waits for the next one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

try:
    from filelock import FileLock, Timeout

    from scripts import export, pdf, site_check
    from scripts.environment import enter
    from scripts.execute import Cache, digest, fill, machinery, too_large
    from scripts.processes import interruptible, running
    from scripts.progress import Progress
    from scripts.sources import ROOT, Book, BookError, replace_text
    from scripts.stage import outside
except ImportError as error:
    sys.exit(f"{error}. The installation is damaged: remove .venv and run make again.")

COMMAND = ["-m", "mystmd_py.main", "build", "--html", "--strict", "--ci"]
LIMIT = 600  # seconds that a cell, or MyST, may take
NOISE = re.compile(r"\x1b\[[0-9;]*m|[⛔⚠]\ufe0f?\s*|^(Site|The site) has .*\n?", re.MULTILINE)


@dataclass
class Report:
    """What a build did: the seconds each executed notebook took, and everything wrong."""

    executed: dict[str, float] = field(default_factory=dict)
    unchanged: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0


def build(root: Path, to: Path, *, strict: bool = False, limit: float = LIMIT) -> Report:
    """Build the book in `root` to `to`/html. Raises BookError; the report says why, in full.

    With `strict`, a warning in a notebook is an error; `limit` is the seconds a cell may take.
    """
    progress, report = Progress(), Report()
    to.mkdir(parents=True, exist_ok=True)
    with alone(to / "lock"):
        try:
            recover(to)
            book = Book.read(root)
            report.unchanged = list(book.notebooks)
            inputs = inputs_of(book, strict=strict)
            if is_built(to, inputs):
                progress.say("nothing has changed")
            else:
                make(book, to, report, progress, strict=strict, limit=limit)
                stamp = {"inputs": inputs, "site": digest_of(to / "html")}
                replace_text(to / "site.json", json.dumps(stamp))
        except BookError as error:
            report.problems = report.problems or [str(error)]
            raise
        finally:
            report.seconds = round(time.monotonic() - progress.since, 1)
            replace_text(to / "report.json", json.dumps(asdict(report), indent=2))
    return report


def make(
    book: Book, to: Path, report: Report, progress: Progress, *, strict: bool, limit: float
) -> None:
    """Make the site, and put it in place. Raises BookError."""
    check_sources(book)
    if os.environ.get("BOOK_PDF"):
        pdf.browser()  # before the notebooks run
    work, cache = to / "work", Cache(book.root / "_build" / "cache")
    for name in ("site", "html"):
        shutil.rmtree(work / "_build" / name, ignore_errors=True)
    enter(to / "state")
    with open(to / "build.log", "w", encoding="utf-8") as log:
        done = fill(book, work, cache, progress, strict=strict, limit=limit, log=log)
        report.unchanged, report.executed = done.unchanged, done.executed
        report.problems = done.problems
        for name, notebook in done.notebooks.items():
            report.problems += too_large(name, notebook)
        stop_on(report.problems, "These notebooks must run without an error.")
        complaints, advice = run_myst(work, limit, log)
    report.problems = [*complaints, *outside(work)]
    stop_on(report.problems, f"The whole log is in {to / 'build.log'}.")
    progress.say(f"{len(done.executed)} executed, {len(report.unchanged)} unchanged; site rendered")
    for each in advice:
        progress.say(f"MyST advises: {each}")
    if os.environ.get("BOOK_PDF"):
        pdf.write(work / "_build" / "html")
    report.problems = site_check.problems(work / "_build" / "html", work / "_build" / "site", book)
    stop_on(report.problems, "The site has errors.")
    put_in_place(to)


def inputs_of(book: Book, *, strict: bool) -> str:
    """A hash of everything that the site is made from."""
    programs = [
        path
        for folder in ("scripts", "theme")
        for path in sorted((book.root / folder).rglob("*"))
        if path.is_file() and not {"node_modules", "__pycache__"} & set(path.parts)
    ]
    options = [strict, os.environ.get("BOOK_PDF"), os.environ.get("BOOK_BROWSER")]
    texts = json.dumps([book.settings, list(book.files), list(map(str, programs)), options])
    return digest(machinery(), texts, *book.files.values(), *(p.read_bytes() for p in programs))


def digest_of(folder: Path) -> str:
    """A hash of the files in a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    return digest(json.dumps(names), *(path.read_bytes() for path in paths))


def is_built(to: Path, inputs: str) -> bool:
    """Whether the site in place was made from this, and nobody has touched it."""
    try:
        stamp = json.loads((to / "site.json").read_text(encoding="utf-8"))
        return stamp["inputs"] == inputs and stamp["site"] == digest_of(to / "html")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def check_sources(book: Book) -> None:
    """Stop at a stale module, and at a notebook of another language."""
    problems = [export.stale(book)]
    for name, notebook in book.notebooks.items():
        kernel = (notebook["metadata"].get("kernelspec") or {}).get("name", "python3")
        if kernel != "python3":
            problems.append(f"{name}: the kernelspec must be python3, not {kernel}")
    stop_on([problem for problem in problems if problem], "The sources are not ready to build.")


def stop_on(problems: list[str], summary: str) -> None:
    """Raise BookError when there are problems."""
    if problems:
        raise BookError("\n".join([*problems, summary]))


def run_myst(work: Path, limit: float, log: IO) -> tuple[list[str], list[str]]:
    """Render the copy in `work`: what MyST and the template complain about, and their advice."""
    command = [sys.executable, *COMMAND]
    with running(command, work, stdout=log, stderr=subprocess.PIPE, text=True) as myst:
        try:
            _, said = myst.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return [f"MyST did not end within {limit:.0f} s"], []
    log.write(said)
    # MyST repeats what the template said.
    text = NOISE.sub("", said.partition("\nCommand failed:")[0])
    lines = [each.strip("\n") for each in re.split(r"\n(?=\S)", text) if each.strip()]
    if myst.returncode:
        return lines or [f"MyST ended with exit status {myst.returncode}"], []
    return [], lines


def recover(to: Path) -> None:
    """Undo what a build that was killed between the two renames of `put_in_place` left."""
    if (to / "html.old").exists():
        if (to / "html").exists():
            shutil.rmtree(to / "html.old")
        else:
            os.replace(to / "html.old", to / "html")


def put_in_place(to: Path) -> None:
    """Make the site in the working copy the one in `to`/html."""
    if (to / "html").exists():
        os.replace(to / "html", to / "html.old")
    os.replace(to / "work" / "_build" / "html", to / "html")
    shutil.rmtree(to / "html.old", ignore_errors=True)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends; wait for another build."""
    lock = FileLock(path)
    try:
        held = lock.acquire(blocking=False)
    except Timeout:
        print("Another build is running: waiting for it.", flush=True)
        held = lock.acquire()
    with held:
        yield


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Build the book.")
    parser.add_argument("--to", type=Path, default=ROOT / "_build", help="default: _build")
    parser.add_argument("--warnings-are-errors", action="store_true", help="in the notebooks")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds that a cell may take")
    arguments = parser.parse_args()
    to = arguments.to.resolve()
    try:
        with interruptible():
            strict = arguments.warnings_are_errors
            report = build(ROOT, to, strict=strict, limit=arguments.limit)
    except (BookError, OSError) as error:
        kept = "The last good site is unchanged." if (to / "html").exists() else ""
        print(f"\n{error}\nThe build failed. {kept}".rstrip(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The last good site, if any, is unchanged.", file=sys.stderr)
        return 130
    site = to / "html"
    site = site.relative_to(Path.cwd()) if site.is_relative_to(Path.cwd()) else site
    print(f"\nThe site is in {site} ({report.seconds:.0f} s).")
    print(f"Open {site / 'index.html'} in a browser, or serve it: python -m http.server -d {site}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
