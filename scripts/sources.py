"""What a book consists of: its settings, pages, notebooks and modules, read once."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
CONTENT = "content"
# A cell that begins with one of these magics is Python below its first line.
PYTHON_MAGICS = frozenset({"capture", "prun", "time", "timeit"})
# A figure that a cell plays (tools/play.py), and what such a script imports from beside it.
PLAYED = re.compile(r"""\bplay\(\s*["'](\w+)["']""")
SCRIPT_IMPORT = re.compile(r'\bfrom "\./(\w+\.mjs)"')
PICTURES = frozenset({".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp"})


class BookError(Exception):
    """The book's sources are wrong; the message says what and where."""


@dataclass(frozen=True)
class Book:
    """A book as it is written. Raises BookError where it cannot be read.

    Attributes:
        settings: the contents of myst.yml.
        pages: the files of its table of contents, in order, from the root.
        notebooks: those of them that are notebooks, as nbformat 4 stores them.
        files: what lies in content/, by its path from the root; no editors' files.
    """

    root: Path
    settings: dict[str, Any]
    pages: list[str]
    notebooks: dict[str, dict[str, Any]]
    files: dict[str, bytes]

    @staticmethod
    def read(root: Path = ROOT) -> Book:
        """Read the book in a folder."""
        settings = _settings(root / "myst.yml")
        files = dict(_files(root, root / CONTENT))
        pages = _pages(settings, files)
        names = [name for name in pages if name.endswith(".ipynb")]
        notebooks = {name: read_notebook(files[name], name) for name in names}
        return Book(root, settings, pages, notebooks, files)

    @property
    def github(self) -> str:
        """OWNER/NAME of the repository. Raises BookError where myst.yml does not say it."""
        address = (self.settings.get("project") or {}).get("github")
        match = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)/?", str(address))
        if not match:
            raise BookError("myst.yml: project.github must be https://github.com/OWNER/NAME")
        return match[1]

    @property
    def address(self) -> str:
        """The public address of the site: site.options.url, or GitHub Pages of the repository."""
        options = (self.settings.get("site") or {}).get("options") or {}
        owner, _, name = self.github.partition("/")
        url = options.get("url") or f"https://{owner.lower()}.github.io/{name}"
        return str(url).rstrip("/")

    @cached_property
    def modules(self) -> dict[str, str]:
        """The files of the Python modules beside the notebooks, by name: `torch_metrics`, ...

        A package beside them has the name of its folder; what it keeps in folders is its own.
        """
        found: dict[str, str] = {}
        for file in self.files:
            path = Path(file)
            package = path.name == "__init__.py" and len(path.parts) > 3
            name = path.parent.name if package else path.stem
            if path.suffix == ".py" and name not in ("__init__", "__main__") and is_shared(file):
                if name in found:
                    raise BookError(f"two modules have one name: {found[name]} and {file}")
                found[name] = file
        return found

    @cached_property
    def _uses(self) -> dict[str, set[str]]:
        """For each module, the modules that it imports."""
        return {
            name: last_names(parsed(self.files[file], file)) & self.modules.keys()
            for name, file in self.modules.items()
        }

    def modules_of(self, notebook: dict[str, Any]) -> list[str]:
        """The files of the modules that a notebook imports or starts by name, and theirs in turn.

        The set-up cell, which is generated from them, does not count.
        """
        texts = [text for cell, text in code_cells(notebook) if "setup" not in tags(cell)]
        todo = {name for name in self.modules if any(f"{name}.py" in text for text in texts)}
        for text in texts:
            todo |= last_names(tree_of_cell(text)) & self.modules.keys()
        found: set[str] = set()
        while todo:
            found |= todo
            todo = set().union(*(self._uses[name] for name in todo)) - found
        return [self.modules[name] for name in sorted(found)]

    def data_of(self, notebook: dict[str, Any]) -> list[str]:
        """The other files that a notebook's outputs may depend on.

        They are the pictures and data that it names, the figures that it or its modules play, and
        data that no notebook names: who knows who reads them?
        """
        texts = [text for _, text in code_cells(notebook)]
        all_texts = [text for each in self.notebooks.values() for _, text in code_cells(each)]
        programs = [*texts, *(self.files[file].decode() for file in self.modules_of(notebook))]
        played = {f"{name}.mjs" for text in programs for name in PLAYED.findall(text)}
        todo = set(played)
        while todo:
            scripts = [self.files[file].decode() for file in self.files if Path(file).name in todo]
            todo = {name for text in scripts for name in SCRIPT_IMPORT.findall(text)} - played
            played |= todo
        return [
            file
            for file, path in ((file, Path(file)) for file in self.files)
            if path.suffix not in (".py", ".ipynb", ".md")
            and (
                path.name in played
                or any(path.name in text for text in texts)
                or path.suffix not in (*PICTURES, ".mjs")
                and not any(path.name in text for text in all_texts)
            )
        ]


def _settings(path: Path) -> dict[str, Any]:
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise BookError(f"myst.yml is missing in {path.parent}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BookError(f"myst.yml cannot be read: {error}") from None
    if not isinstance(settings, dict) or not isinstance(settings.get("project") or {}, dict):
        raise BookError("myst.yml must be a mapping, and so must its `project`")
    return settings


def _pages(settings: dict[str, Any], files: dict[str, bytes]) -> list[str]:
    """The files of the table of contents, in order."""

    def names(entries: Any) -> Iterator[str]:
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            raise BookError("myst.yml: project.toc and `children` must be lists of mappings")
        for entry in entries:
            if "file" in entry:
                yield str(entry["file"])
            yield from names(entry.get("children") or [])

    found = list(names((settings.get("project") or {}).get("toc") or []))
    if not found:
        raise BookError("myst.yml has no table of contents (project.toc)")
    if missing := [name for name in found if name not in files]:
        raise BookError(f"myst.yml lists files that are not in {CONTENT}/: {', '.join(missing)}")
    return found


def _files(root: Path, folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files below a folder, but for what editors and Python leave.

    Raises BookError at a link that leads out of content/ or nowhere: a site must not show files
    of the machine that builds it.
    """
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        name = path.relative_to(root).as_posix()
        if path.name.startswith((".", "#")) or path.name.endswith("~"):
            continue
        if path.is_symlink():
            target = path.resolve()
            if not target.is_relative_to((root / CONTENT).resolve()) or not target.is_file():
                raise BookError(f"{name} is a link to {target}, which is not a file in {CONTENT}/")
        if path.is_file():
            yield name, path.read_bytes()
        elif path.name != "__pycache__":
            yield from _files(root, path)


def is_shared(name: str) -> bool:
    """Whether a file is others' to use: what a package in tools/ keeps in folders is its own."""
    return len(Path(name).parts) <= len(Path(f"{CONTENT}/tools/package/module.py").parts)


def read_notebook(data: bytes, name: str) -> dict[str, Any]:
    """The notebook in these bytes. Read directly: importing nbformat takes a second.

    Raises BookError, which names the notebook, where it is not one.
    """
    try:
        notebook = json.loads(data.decode())
    except ValueError as error:  # JSON or its encoding
        raise BookError(f"{name} is not a notebook: {error}") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        raise BookError(f"{name} is not a notebook of format 4")
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(map(_is_cell, cells)):
        raise BookError(f"{name} is not a notebook: its cells are not those of nbformat")
    if not isinstance(notebook.setdefault("metadata", {}), dict):
        raise BookError(f"{name} is not a notebook: its metadata is not a mapping")
    return notebook


def _is_cell(cell: Any) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.setdefault("metadata", {}), dict):
        return False
    text = cell.get("source")
    is_text = isinstance(text, str) or (
        isinstance(text, list) and all(isinstance(line, str) for line in text)
    )
    return is_text and cell.get("cell_type") in ("code", "markdown", "raw")


def replace_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def source(cell: dict[str, Any]) -> str:
    """The text of a cell, which nbformat stores as one string or as lines."""
    text = cell["source"]
    return text if isinstance(text, str) else "".join(text)


def tags(cell: dict[str, Any]) -> list[str]:
    """The tags of a cell."""
    return cell["metadata"].get("tags") or []


def code_cells(notebook: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """The code cells of a notebook, with their texts."""
    return [(cell, source(cell)) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def python(text: str) -> str:
    """The Python that IPython makes of a cell's text, magics and shell lines among it.

    Below a magic such as %%time, which runs Python, it is that; below %%bash it is nothing.
    """
    magic = re.match(r"\s*%%(\w+).*\n?", text)
    if magic:
        return python(text[magic.end() :]) if magic[1] in PYTHON_MAGICS else ""
    try:
        ast.parse(text)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager  # slow, and rarely needed

        return TransformerManager().transform_cell(text)
    return text


def parsed(text: str | bytes, place: str) -> ast.Module:
    """A program's syntax tree. Raises BookError, which names the place."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = f" (line {error.lineno})" if getattr(error, "lineno", None) else ""
        raise BookError(f"{place}: {getattr(error, 'msg', error)}{line}") from None


def tree_of_cell(text: str) -> ast.Module:
    """The syntax tree of a cell; an empty one where it has a mistake, which running it tells."""
    try:
        return ast.parse(python(text))
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def imports(tree: ast.AST) -> set[str]:
    """Every module that the code may import, with dots: `from a import b` gives `a` and `a.b`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            found.add(package)
            found.update(f"{package}.{alias.name}".lstrip(".") for alias in node.names)
    return found


def last_names(tree: ast.AST) -> set[str]:
    """Every module that the code may import, by the last part of its name."""
    return {name.rpartition(".")[2] for name in imports(tree)}
