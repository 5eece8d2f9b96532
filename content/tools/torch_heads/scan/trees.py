"""Trees of files: which are read, what was found in them, and which comments silence it."""

from __future__ import annotations

import gc
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ..rules import Finding
from .files import LOSS_WORDS, candidates, has, relevant
from .reader import Reader
from .values import Place

STARTS = re.compile(rb"__main__|def main\b|\.fit\(")  # a file that may name no loss
KEPT = 300  # modules, before those of other folders are forgotten


@dataclass
class Scan:
    """What was found, which files could not be read and why, and how many there were."""

    findings: list[Finding] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    files: int = 0


def scan(paths: list[str], exclude: list[str] | None = None, gitignore: bool = True) -> Scan:
    """Read files and folders."""
    files = candidates(paths, exclude or [], gitignore)
    result = Scan(files=len(files))
    reader, limit = Reader(files), sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, 5000))
    collecting = gc.isenabled()
    gc.disable()  # syntax trees are many small objects that all stay
    try:
        folder = ""
        for path, name in files.items():
            try:
                text = Path(path).read_bytes()
            except OSError as error:
                result.failed[name] = str(error)
                continue
            if has(LOSS_WORDS, text) or relevant(text) and STARTS.search(text):
                before, folder = folder, os.path.dirname(path)
                if before != folder and len(reader.modules) > KEPT:
                    reader.forget()
                    gc.collect()
                reader.entry(path)
    finally:
        sys.setrecursionlimit(limit)
        if collecting:
            gc.enable()
    result.failed |= reader.failed
    result.findings = sorted(heeded(reader), key=lambda f: (f.where, f.code))
    reader.forget()
    return result


def heeded(reader: Reader) -> list[Finding]:
    """The findings without those that a comment silences; and the comments that silence none."""
    kept, used = [], set()
    for finding in reader.findings():
        places = [finding.where, *(each for each in finding.evidence if isinstance(each, Place))]
        lines = [(p.file, p.cell, n) for p in places for n in range(p.line, p.end + 1)]
        silent = [key for key in lines if key in reader.ignores]
        silent = [key for key in silent if finding.code in (reader.ignores[key] or finding.code)]
        used.update(silent)
        if not silent:
            kept.append(finding)
    for (file, cell, line), names in reader.ignores.items():
        if (file, cell, line) not in used and file in reader.entries:
            what = " ".join(["nothing to ignore here", *(names or ())])
            place = Place(file, line, 1, cell)
            kept.append(Finding("unused-ignore", "warning", what, "", "", (), where=place))
    return kept
