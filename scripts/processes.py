"""Start processes so that none of them, nor of their children, outlives the one that did."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Waits for the end of a pipe whose other end we hold: it comes however we end, kill -9 included.
WATCHDOG = "import os, sys; sys.stdin.read(); os.killpg(int(sys.argv[1]), 9)"


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that cleaning up happens."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def kill(process: subprocess.Popen | None) -> None:
    """Kill a process that leads a group, with all of the group. It may have ended already."""
    if process is not None and process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


@contextmanager
def running(command: list[str], cwd: Path, **options: Any) -> Iterator[subprocess.Popen]:
    """Run a command as long as the block runs, or until this process ends."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is ours to deal with
        **options,
    )
    watchdog = None
    try:
        if os.name != "nt":
            watchdog = subprocess.Popen(
                [sys.executable, "-I", "-c", WATCHDOG, str(process.pid)],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
        yield process
    finally:
        if watchdog:  # first: the number of a process that has ended may soon be another's
            watchdog.kill()
            watchdog.wait()
            assert watchdog.stdin
            watchdog.stdin.close()
        kill(process)
        process.wait()
