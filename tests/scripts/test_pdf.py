"""The PDF of the book: who prints it, and that the clock does not change it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts import pdf
from scripts.sources import BookError


def program(tmp_path: Path, lines: str) -> str:
    """A browser of a few lines of shell."""
    path = tmp_path / "browser"
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(os.name == "nt", reason="the pretended browser is a shell script")
def test_the_pdf_has_no_date(tmp_path, monkeypatch):
    """And all offsets in it stay right."""
    lines = (
        'for word; do case $word in --print-to-pdf=*) target="${word#*=}";; esac; done\n'
        'printf "%%PDF /CreationDate (D:20261123170000+00\'00\') end" > "$target"'
    )
    monkeypatch.setenv("BOOK_BROWSER", program(tmp_path, lines))
    pdf.write(tmp_path)
    content = (tmp_path / pdf.FILE).read_bytes()
    assert content == b"%PDF /CreationDate (D:00000000000000+00'00') end"


def test_the_browser_may_be_named_and_is_missed(tmp_path, monkeypatch):
    monkeypatch.setenv("BOOK_BROWSER", program(tmp_path, "exit 1"))
    assert pdf.browser() == str(tmp_path / "browser")
    with pytest.raises(BookError, match="Chromium printed no PDF"):
        pdf.write(tmp_path)
    monkeypatch.setenv("BOOK_BROWSER", "")
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(BookError, match="A PDF needs Chromium"):
        pdf.browser()
