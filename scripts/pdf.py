"""The whole book as a PDF: its page of the site, printed by Chromium."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from scripts.sources import BookError

FILE = "book.pdf"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser() -> str:
    """The Chromium to print with: the one in BOOK_BROWSER, or one on PATH. Raises BookError."""
    names = [os.environ.get("BOOK_BROWSER", ""), *BROWSERS]
    found = next((found for name in names if name and (found := shutil.which(name))), None)
    if not found:
        raise BookError("A PDF needs Chromium: install it, or name it in BOOK_BROWSER.")
    return found


def write(site: Path) -> None:
    """Print the site's book.html to book.pdf. Raises BookError."""
    with tempfile.TemporaryDirectory(prefix="book-pdf-") as profile:
        command = [browser(), "--headless", "--disable-gpu", f"--user-data-dir={profile}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium's sandbox refuses root, as in containers
        command += ["--no-pdf-header-footer", f"--print-to-pdf={site / FILE}"]
        command += ["--generate-pdf-document-outline", (site / "book.html").as_uri()]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=300)
        except subprocess.SubprocessError as error:
            raise BookError(f"Chromium printed no PDF: {error}") from None
    # The clock must not change the file, and a PDF counts its bytes.
    content = (site / FILE).read_bytes()
    dates = re.compile(rb"/(CreationDate|ModDate) \([^)]*\)")
    (site / FILE).write_bytes(dates.sub(lambda date: re.sub(rb"\d", b"0", date[0]), content))
