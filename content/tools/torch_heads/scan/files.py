"""Files: which there are, and the Python in them, also in notebooks and in Markdown."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import tokenize
import warnings
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

SUFFIXES = (".py", ".ipynb", ".md")
# Looked for with `in`, which takes a third of the time of a regular expression.
LOSS_WORDS = (
    *(b"cross_entropy", b"CrossEntropyLoss", b"nll_loss", b"NLLLoss", b"BCELoss", b"BCEWithLogits"),
    *(b"kl_div", b"KLDivLoss", b".backward(", b"LogSoftmax", b"log_softmax"),
    b"torch-heads: ignore",
)
WORDS = (
    *(b"oftmax", b"igmoid", b"riterion", b"Loss", b"loss"),
    *(b"nn.Module", b"nn.Linear", b"Sequential"),
)
MAGIC = re.compile(r"^(\s*)(?:[%!?].*|.*\?)$|^(\s*\w[\w, ]*=) *[%!].*$")
FENCE = re.compile(
    r"^( {0,3})(```+|~~~+)\s*\{?(python|py|python3|code-cell)\b[^\n]*$", re.MULTILINE
)
IGNORE = re.compile(r"#\s*torch-heads:\s*ignore(?:\[([\w\s,-]*)\])?")


def relevant(text: bytes) -> bool:
    """Might a file say anything about a network? A short one may import what does."""
    return len(text) < 4000 or has(WORDS, text)


def has(words: tuple[bytes, ...], text: bytes) -> bool:
    return any(word in text for word in words)


@dataclass(frozen=True)
class Cell:
    """A piece of a file: how many lines come before it, and its number in a notebook."""

    before: int = 0
    number: int = 0


@dataclass
class Source:
    """The text of a file."""

    name: str
    body: list[ast.stmt] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def cell(self, line: int) -> Cell:
        index = bisect_left([cell.before for cell in self.cells], line) - 1
        return self.cells[index] if index >= 0 else Cell()

    @cached_property
    def ignores(self) -> dict[tuple[int, int], tuple[str, ...] | None]:
        """(cell, line) of each `# torch-heads: ignore`, with its codes."""
        found: dict[tuple[int, int], tuple[str, ...] | None] = {}
        if any("torch-heads:" in line for line in self.lines):
            for number, line in comments(self.lines):
                if match := IGNORE.search(line):
                    cell = self.cell(number)
                    codes = match[1] and tuple(re.split(r"[\s,]+", match[1].strip()))
                    found[cell.number, number - cell.before] = codes or None
        return found


def comments(lines: list[str]) -> Iterator[tuple[int, str]]:
    """The comments with the lines they stand in; strings are none."""
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):  # a notebook's magics
        for number, line in enumerate(lines, 1):
            if "#" in line:
                yield number, line[line.index("#") :]


def read(path: str, name: str) -> Source:
    """The statements of a Python file, or of all code cells of a notebook or a Markdown file."""
    raw = Path(path).read_bytes()
    source = Source(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if path.endswith(".py"):
            source.lines = raw.decode("utf-8", "replace").split("\n")
            source.body = ast.parse(raw).body
            return source
        is_notebook = path.endswith(".ipynb")
        for number, before, text in cells(raw) if is_notebook else fenced(raw):
            tree = parse_cell(text)
            if isinstance(tree, SyntaxError):
                where = f"cell {number}" if is_notebook else f"{before + (tree.lineno or 1)}"
                if is_notebook:  # a page may show pieces of code
                    source.failed[f"{name}:{where}"] = f"SyntaxError: {tree}"
                continue
            if is_notebook:
                before = len(source.lines)
                source.cells.append(Cell(before, number))
            else:
                source.lines += [""] * (before - len(source.lines))
            source.body += ast.increment_lineno(tree, before).body
            source.lines += text.split("\n")
    return source


def parse_cell(text: str) -> ast.Module | SyntaxError:
    try:
        return ast.parse(text)
    except SyntaxError:
        try:
            return ast.parse("\n".join(MAGIC.sub(plain, line) for line in text.split("\n")))
        except SyntaxError as error:
            return error


def plain(match: re.Match[str]) -> str:
    return f"{match[1]}pass" if match[2] is None else f"{match[2]} None"


def cells(raw: bytes) -> Iterator[tuple[int, int, str]]:
    """(number, counted from 1 over all cells; 0; source) of the code cells of a notebook."""
    try:
        found = enumerate(json.loads(raw)["cells"], 1)
        code = [(n, "".join(cell["source"])) for n, cell in found if cell["cell_type"] == "code"]
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a notebook of format 4 ({error!r})") from error
    for number, text in code:
        if not re.match(r"%%(?!time|capture)", text):
            yield number, 0, text


def fenced(raw: bytes) -> Iterator[tuple[int, int, str]]:
    """(0, lines before it, source) of the Python cells of a Markdown file."""
    lines = raw.decode("utf-8", "replace").split("\n")
    start = 0
    while start < len(lines):
        if match := FENCE.match(lines[start]):
            first = start + 1
            start = first
            while start < len(lines) and not lines[start].strip().startswith(match[2]):
                start += 1
            block = [line.removeprefix(match[1]) for line in lines[first:start]]
            options = [n for n, line in enumerate(block) if line.startswith(":")]
            yield 0, first, "\n".join("" if n in options else line for n, line in enumerate(block))
        start += 1


def candidates(starts: list[str], excluded: list[str], gitignore: bool) -> dict[str, str]:
    """The files that are to be read: name as shown, by path on disk."""
    found: dict[str, str] = {}
    for start in starts:
        if os.path.isfile(start):
            found[os.path.realpath(start)] = start
            continue
        ignored = Ignored(start) if gitignore else None
        for folder, folders, names in os.walk(start):
            if ignored:
                ignored.enter(folder)
            kept = [f for f in sorted(folders) if f[0] != "." and f not in OTHERS]
            folders[:] = [f for f in kept if not left_out(folder, f, True, excluded, ignored)]
            for name in sorted(names):
                if name.endswith(SUFFIXES) and not left_out(folder, name, False, excluded, ignored):
                    path = os.path.normpath(os.path.join(folder, name))
                    found.setdefault(os.path.realpath(path), path)
    return found


OTHERS = {"__pycache__", "node_modules", "site-packages", "venv", "_build", "build", "dist"}


def left_out(folder: str, name: str, is_folder: bool, excluded: list[str], ignored: Ignored | None):
    path = os.path.normpath(os.path.join(folder, name))
    parts = path.split(os.sep)
    for pattern in excluded:
        pattern = pattern.rstrip("/")
        if any(fnmatch(part, pattern) for part in parts) or fnmatch(path, pattern):
            return True
        if fnmatch(path, f"*/{pattern}") or f"/{path}/".find(f"/{pattern}/") >= 0:
            return True
    return ignored is not None and ignored.has(path, is_folder)


class Ignored:
    """The rules of .gitignore files, from the top of the repository down."""

    def __init__(self, start: str) -> None:
        self.rules: list[tuple[str, re.Pattern[str], bool, bool]] = []
        self.read: set[str] = set()
        top = Path(start).resolve()
        above = [top, *top.parents]
        root = next((n for n, each in enumerate(above) if (each / ".git").exists()), 0)
        for each in reversed(above[: root + 1]):
            self.enter(str(each))

    def enter(self, folder: str) -> None:
        base = os.path.realpath(folder)
        path = Path(base, ".gitignore")
        if base in self.read or not path.is_file():
            return
        self.read.add(base)
        for line in path.read_text("utf-8", "replace").splitlines():
            text = line.rstrip()
            if text and not text.startswith("#"):
                negated, text = text.startswith("!"), text.removeprefix("!")
                only_folders, text = text.endswith("/"), text.rstrip("/")
                rooted = "/" in text
                self.rules.append((base, pattern(text.lstrip("/"), rooted), negated, only_folders))

    def has(self, path: str, is_folder: bool) -> bool:
        full, result = os.path.abspath(path), False
        full = os.path.join(os.path.realpath(os.path.dirname(full)), os.path.basename(full))
        for base, expression, negated, only_folders in self.rules:
            if full.startswith(base + os.sep) and (is_folder or not only_folders):
                if expression.fullmatch(os.path.relpath(full, base)):
                    result = not negated
        return result


def pattern(text: str, rooted: bool) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|/\*\*|\*|\?|\[[^\]]*\])", text)
    known = {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(
        known.get(part) or (part.replace("[!", "[^") if part[:1] == "[" else re.escape(part))
        for part in parts
    )
    return re.compile(body if rooted else f"(?:.*/)?{body}")
