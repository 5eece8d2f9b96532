"""What a long command says while it works."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path


class Progress:
    """A line for every event, and on a terminal one more that counts the seconds."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self._live = sys.stdout.isatty()
        self._told = self.since
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Print a line, with the time in front."""
        with self._lock:
            self._told = time.monotonic()
            clear = "\r\x1b[K" if self._live else ""
            print(f"{clear}{self._told - self.since:4.0f} s  {text}", flush=True)

    def tick(self, running: dict[str, tuple[float, str]]) -> None:
        """Show which notebooks are at work: since when, and in which cell."""
        now = time.monotonic()
        what = ", ".join(
            f"{Path(name).name}: {at.partition(' (')[0]}, {now - since:.0f} s"
            for name, (since, at) in running.items()
        )
        if self._live:
            print(f"\r\x1b[K{now - self.since:4.0f} s  {what}", end="", flush=True)
        elif running and now - self._told > 30:
            self.say(f"still executing {what}")
