"""The command: options, configuration, exit status."""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

from ..rules import Finding, all_codes, explanation, static_codes
from .output import FORMATS, as_text, version
from .trees import Scan, scan

DESCRIPTION = "Find network outputs that do not fit their loss, such as softmax before \
CrossEntropyLoss. Reads .py, .ipynb and .md files; runs nothing."
EPILOG = "exit status: 0 nothing found, 1 something found, 2 something could not be read"
SETTINGS = ("select", "exclude", "strict", "format", "respect-gitignore")


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("torch-heads", description=DESCRIPTION, epilog=EPILOG)
    add = parser.add_argument
    add("paths", nargs="*", default=["."], metavar="PATHS", help="files or folders (default: .)")
    add("--format", "--output-format", choices=FORMATS, help="text (default), json, github, sarif")
    add("--select", type=codes, help="only these codes, separated by commas; ALL has notes, too")
    add("--exclude", type=codes, help="names or patterns of files and folders to leave out")
    add("--no-respect-gitignore", action="store_true", help="also read what git ignores")
    add("--strict", action="store_true", help="count what is only perhaps wrong")
    add("--exit-zero", action="store_true", help="exit with 0 whatever is found")
    add("--color", choices=("auto", "always", "never"), default="auto")
    add("--explain", metavar="CODE", help="explain a code, and end")
    add("--version", action="store_true", help="show the version, and end")
    return parser


def codes(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def configuration(start: str) -> dict[str, Any]:
    """[tool.torch-heads] of the nearest pyproject.toml that has it."""
    folder = Path(start).resolve()
    for each in (folder, *folder.parents):
        file = each / "pyproject.toml"
        if file.is_file():
            table = tomllib.loads(file.read_text("utf-8")).get("tool", {}).get("torch-heads")
            if table is not None:
                if unknown := sorted(set(table) - set(SETTINGS)):
                    raise ValueError(f"{file}: unknown setting {', '.join(unknown)}")
                return table
    return {}


def main(arguments: list[str] | None = None) -> int:
    """Print what is found; 0 if that is nothing, 1 if something, 2 if a file cannot be read."""
    parser = options()
    chosen = parser.parse_args(arguments)
    if chosen.version:
        print(f"torch-heads {version()}")
        return 0
    if chosen.explain:
        if text := explanation(chosen.explain):
            print(text)
            return 0
        parser.error(f"no such code: {chosen.explain} (there are {', '.join(all_codes())})")
    try:
        settings = configuration(chosen.paths[0])
    except ValueError as error:  # also of tomllib
        parser.error(str(error))
    select = chosen.select or settings.get("select") or []
    if strangers := sorted({*select} - {*static_codes(), "ALL"}):
        known = ", ".join(static_codes())
        parser.error(f"no such code to select: {', '.join(strangers)} (there are {known}, ALL)")
    for path in chosen.paths:
        if not os.path.exists(path):
            parser.error(f"no such file or folder: {path}")
    exclude = [*settings.get("exclude", []), *(chosen.exclude or [])]
    gitignore = settings.get("respect-gitignore", True) and not chosen.no_respect_gitignore
    result = scan(chosen.paths, exclude, gitignore)
    result.findings = [finding for finding in result.findings if is_selected(finding, select)]
    form = chosen.format or settings.get("format") or "text"
    color = chosen.color == "always" or chosen.color == "auto" and is_terminal()
    print(as_text(result, color) if form == "text" else FORMATS[form](result), end="", flush=True)
    for name, reason in result.failed.items():
        print(f"{name}: could not be read: {reason}", file=sys.stderr)
    if form == "text":
        print(summary(result), file=sys.stderr)
    return status(result, chosen.strict or settings.get("strict", False), chosen.exit_zero)


def is_selected(finding: Finding, select: list[str]) -> bool:
    if select:
        return "ALL" in select or finding.code in select
    return finding.severity == "error" or finding.code == "unused-ignore"


def is_terminal() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def status(result: Scan, strict: bool, exit_zero: bool) -> int:
    counted = [f for f in result.findings if strict or f.confidence == "certain"]
    counted = [f for f in counted if f.severity == "error" or strict]
    if counted and not exit_zero:
        return 1
    return 2 if result.failed else 0


def summary(result: Scan) -> str:
    sure = sum(f.confidence == "certain" and f.severity == "error" for f in result.findings)
    rest = len(result.findings) - sure
    files = f"{result.files} file{'s' * (result.files != 1)}"
    found = f"{sure} found" if sure else "Nothing certain found" if rest else "Nothing found"
    more = f", {rest} to look at" if rest else ""
    unread = f", {len(result.failed)} could not be read" if result.failed else ""
    return f"{found}{more} in {files}{unread}."
