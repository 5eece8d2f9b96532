"""What the book consists of: its table of contents, notebooks and modules, and their hashes."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
CONTENT = "content"


class BookError(Exception):
    """The book's sources are wrong; the message says what and where."""


def config(root: Path) -> dict[str, Any]:
    """The contents of myst.yml. Raises BookError where there is none."""
    path = root / "myst.yml"
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise BookError(f"myst.yml is missing in {root}") from None
    except yaml.YAMLError as error:
        raise BookError(f"myst.yml cannot be read: {error}") from None


def pages(root: Path) -> list[str]:
    """The files of the table of contents, in order. Raises BookError where one is missing."""

    def files(entries: list[dict[str, Any]]) -> Iterator[str]:
        for entry in entries:
            if "file" in entry:
                yield entry["file"]
            yield from files(entry.get("children", []))

    project = config(root).get("project") or {}
    found = list(files(project.get("toc", [])))
    if not found:
        raise BookError("myst.yml has no table of contents (project.toc)")
    if missing := [name for name in found if not (root / name).is_file()]:
        raise BookError(f"myst.yml lists files that do not exist: {', '.join(missing)}")
    return found


def notebooks(root: Path) -> list[str]:
    """The notebooks of the table of contents, in order."""
    return [name for name in pages(root) if name.endswith(".ipynb")]


def read_notebook(path: Path) -> dict[str, Any]:
    """The notebook as nbformat 4 stores it. Read directly: importing nbformat takes a second."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise BookError(f"{path} is not a notebook: {error}") from None
    if notebook.get("nbformat") != 4:
        raise BookError(f"{path} is not a notebook of format 4")
    return notebook


def replace_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def source(cell: dict[str, Any]) -> str:
    """The text of a cell, which nbformat stores as one string or as lines."""
    text = cell["source"]
    return text if isinstance(text, str) else "".join(text)


def tags(cell: dict[str, Any]) -> list[str]:
    """The tags of a cell."""
    return cell.get("metadata", {}).get("tags", [])


def code(cell: dict[str, Any]) -> str:
    """The Python of a code cell: IPython's magics and shell lines are left out."""
    text = source(cell)
    if text.startswith("%%"):
        return ""
    return re.sub(r"^(\s*)[%!].*$", r"\1pass", text, flags=re.MULTILINE)


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


def modules(root: Path) -> dict[str, Path]:
    """The Python modules beside the notebooks, by name: `torch_metrics`, `figures`, ..."""
    found: dict[str, Path] = {}
    for path in sorted((root / CONTENT).rglob("*.py")):
        if path.stem == "__init__":
            continue
        if path.stem in found:
            raise BookError(f"two modules have one name: {found[path.stem]} and {path}")
        found[path.stem] = path
    return found


@cache  # every command asks for the same few texts again and again
def last_names(text: str | bytes, place: str) -> frozenset[str]:
    """Every module that the text of a program may import, by the last part of its name.

    Raises SyntaxError, which names the place.
    """
    return frozenset(name.rpartition(".")[2] for name in imports(ast.parse(text, place)))


def variable(module: str) -> str:
    """The environment variable that holds a module's hash."""
    return f"BOOK_{module.upper()}"


def notebook_modules(root: Path, notebook: dict[str, Any]) -> set[str]:
    """The names of the modules that a notebook uses.

    They are the ones that it imports, and the scripts whose file names it mentions, because it
    starts them. Its set-up cell, which is generated from them, does not count.
    """
    texts = [
        code(cell)
        for cell in notebook["cells"]
        if cell["cell_type"] == "code" and "setup" not in tags(cell)
    ]
    names = modules(root).keys()
    used = frozenset().union(*(last_names(text, "<cell>") for text in texts)) & names
    return used | {name for name in names if any(f"{name}.py" in text for text in texts)}


def notebook_dependencies(root: Path, notebook: dict[str, Any]) -> set[str]:
    """The variables of `hashes` that a notebook's outputs depend on."""
    names = notebook_modules(root, notebook)
    return {"BOOK_ENVIRONMENT"} | {variable(name) for name in names}


def notebook_files(root: Path, notebook: dict[str, Any]) -> dict[str, str]:
    """The SHA-256 of every file that a notebook's modules take, by its path in content/."""
    files = module_files(root)
    found = {path for name in notebook_modules(root, notebook) for path in files[name]}
    found |= {init for path in found if (init := path.with_name("__init__.py")).exists()}
    return {
        path.relative_to(root / CONTENT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(found)
    }


def module_files(root: Path) -> dict[str, list[Path]]:
    """For each module, its file and the files of the modules that it imports, in turn."""
    paths = modules(root)
    uses = {
        name: last_names(path.read_bytes(), str(path)) & paths.keys()
        for name, path in paths.items()
    }

    def closure(name: str) -> set[str]:
        found, todo = set(), {name}
        while todo:
            found |= todo
            todo = set().union(*(uses[each] for each in todo)) - found
        return found

    return {name: [paths[each] for each in sorted(closure(name))] for name in paths}


def hashes(root: Path) -> dict[str, str]:
    """What the outputs of a notebook can depend on, as environment variables.

    A notebook names the ones it needs in `metadata.execute.depends_on_env`, and MyST executes it
    again when one of them has changed. BOOK_ENVIRONMENT stands for Python, the pinned versions
    and the device; there is one more for each module, covering what the module imports itself.
    """
    result = {
        variable(name): _digest(*(path.read_bytes() for path in paths))
        for name, paths in module_files(root).items()
    }
    pins = [root / name for name in ("requirements.txt", "constraints.txt")]
    result["BOOK_ENVIRONMENT"] = _digest(
        sys.version.encode(),
        platform.platform(terse=True).encode(),
        os.environ.get("BOOK_DEVICE", "").encode(),
        *(_without_comments(path) for path in pins if path.exists()),
    )
    return result


def _without_comments(path: Path) -> bytes:
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return "\n".join(line for line in lines if line).encode()


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]
