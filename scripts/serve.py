"""Preview the book while it is written: execute what changed, now and after each save.

    python -m scripts.serve    HOST and PORT, if set, say where

MyST shows a copy of the sources with their outputs, and reloads the page when the copy changes.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

from filelock import FileLock, Timeout

from scripts import export
from scripts.build import LIMIT
from scripts.environment import enter
from scripts.execute import Cache, fill
from scripts.processes import interruptible, running
from scripts.progress import Progress
from scripts.sources import CONTENT, ROOT, Book, BookError

EVERY = 0.5  # seconds between two looks at the sources


def update(root: Path, work: Path, progress: Progress) -> bool:
    """Bring the copy in `work` up to date; whether that could be done. What is wrong is said."""
    try:
        book, cache = Book.read(root), Cache(root / "_build" / "cache")
        if stale := export.stale(book):
            progress.say(stale)
        with open(work.parent / "serve.log", "w", encoding="utf-8") as log:
            done = fill(book, work, cache, progress, strict=False, limit=LIMIT, log=log)
        for problem in done.problems:
            progress.say(problem)
    except (BookError, OSError) as error:
        progress.say(str(error))
        return False
    return True


def state(root: Path) -> dict[str, float]:
    """When each source was changed last."""
    found = {}
    for path in [root / "myst.yml", *(root / CONTENT).rglob("*")]:
        try:
            found[str(path)] = path.stat().st_mtime
        except OSError:
            continue  # being replaced, or a dangling link
    return found


def serve(root: Path, to: Path, options: list[str]) -> int:
    """Serve until MyST ends or this process is told to."""
    progress, work, seen = Progress(), to / "serve", state(root)
    for name in ("_build", "tmp"):
        shutil.rmtree(work / name, ignore_errors=True)
    (work / "tmp").mkdir(parents=True)
    os.environ["TMPDIR"] = str(work / "tmp")  # so that nothing stays behind elsewhere
    progress.say("checking the notebooks")
    while not update(root, work, progress):
        while state(root) == seen:
            time.sleep(EVERY)
        seen = state(root)
    with running([sys.executable, "-m", "mystmd_py.main", "start", *options], work) as myst:
        while myst.poll() is None:
            time.sleep(EVERY)
            if (now := state(root)) != seen:
                seen = now
                update(root, work, progress)
    return myst.returncode


def main() -> int:
    """The command line."""
    host, port = os.environ.get("HOST"), os.environ.get("PORT")
    enter(ROOT / "_build" / "state")
    options = ["--port", port] if port else []
    if host:
        os.environ["HOST"] = host
        options.append("--keep-host")
    try:
        with interruptible(), FileLock(ROOT / "_build" / "serve.lock", timeout=0):
            return serve(ROOT, ROOT / "_build", options)
    except Timeout:
        print("`make serve` is running already.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
