"""Write what is generated: content/tools/torch_mlp.py, and the cells that cells.py writes.

    python scripts/export.py           write it
    python scripts/export.py --check   say whether it is up to date, and exit 1 if not

The module holds the notebooks' cells tagged `export`, in the order of the table of contents. An
exported cell holds definitions; the imports that they need may stand in any cell of the notebooks.
`make site` checks on every run, so the notebooks are read as JSON: importing nbconvert for it takes
two seconds.
"""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import cells
from sources import ROOT, BookError, code, notebooks, read_notebook, replace_text, source, tags

MODULE = "content/tools/torch_mlp.py"
HEADER = '''"""The multilayer perceptron that the notebooks build, for the notebooks that follow.

Generated from the notebooks' cells tagged `export`. Do not edit: change the notebook, then run
`make export`.
"""'''
COLAB_FORM = re.compile(r"#\s*@(title|param|markdown)\b")


@dataclass
class Exported:
    """What the notebooks export, and the imports to choose from. Places are for messages."""

    cells: list[str] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    imports: dict[str, dict[str, str]] = field(default_factory=dict)


def render(root: Path = ROOT) -> str | None:
    """The text of the module; None when no cell is exported. Raises BookError."""
    exported = Exported()
    for name in notebooks(root):
        for cell in read_notebook(root / name)["cells"]:
            if cell["cell_type"] == "code":
                _read(cell, f'{name}, cell "{cell.get("id", "without id")}"', exported)
    if not exported.cells:
        return None
    body = "\n\n\n".join(exported.cells)
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    imports = [_import(name, exported) for name in sorted(used & exported.imports.keys())]
    public = [name for name in exported.places if not name.startswith("_")]
    return _tidied("\n".join([HEADER, *imports, f"__all__ = {public!r}", body, ""]), root)


def _read(cell: dict, place: str, exported: Exported) -> None:
    """Add the imports of a code cell and, if it is exported, its definitions."""
    is_exported = "export" in tags(cell)
    text = source(cell) if is_exported else code(cell)
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise BookError(f"{place}: {error.msg} (line {error.lineno})") from None
    lines = text.splitlines()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            _note_import(node, place, exported)
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
        elif is_exported:
            for name in _defined(node, place):
                before = exported.places.setdefault(name, place)
                if before != place:
                    raise BookError(f"{name} is exported twice: {before}, and {place}")
    lines = [line for line in lines if not COLAB_FORM.match(line)]
    if is_exported and any(lines):
        exported.cells.append(f"# From {place}\n" + "\n".join(lines).strip())


def _note_import(node: ast.Import | ast.ImportFrom, place: str, exported: Exported) -> None:
    """Remember which statement binds which name."""
    if isinstance(node, ast.ImportFrom) and node.module == "tools.torch_mlp":
        return  # the module that we write
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        if isinstance(node, ast.Import):
            statement = ast.unparse(ast.Import([alias]))
        else:
            statement = ast.unparse(ast.ImportFrom(node.module, [alias], node.level))
        exported.imports.setdefault(name, {}).setdefault(statement, place)


def _import(name: str, exported: Exported) -> str:
    """The statement that binds a name. Raises BookError when the notebooks disagree."""
    (statement, place), *others = exported.imports[name].items()
    for other, elsewhere in others:
        raise BookError(f"{name} is `{statement}` in {place}, but `{other}` in {elsewhere}")
    return statement


def _defined(node: ast.stmt, place: str) -> list[str]:
    """The names that a statement defines. Raises BookError for anything but a definition."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    if isinstance(node, ast.Assign | ast.AnnAssign):
        if all(isinstance(target, ast.Name) for target in targets):
            return [target.id for target in targets]
    statement = ast.unparse(node).partition("\n")[0]
    raise BookError(f"{place}: an exported cell holds definitions only, not `{statement}`")


def _tidied(text: str, root: Path) -> str:
    """The text with its imports sorted and its lines formatted, as `make lint` wants them."""
    command = [sys.executable, "-m", "ruff"]
    stdin = ["--quiet", "--stdin-filename", MODULE, "-"]
    for step in (["check", "--fix", "--select", "I,F401,F821"], ["format"]):
        done = subprocess.run(
            [*command, *step, *stdin], input=text, capture_output=True, text=True, cwd=root
        )
        if done.returncode:
            raise BookError(f"the exported cells are not a module:\n{done.stdout}{done.stderr}")
        text = done.stdout
    return text


def stale(root: Path = ROOT) -> str | None:
    """What to say when something generated is out of date; None when nothing is."""
    path = root / MODULE
    written = path.read_text(encoding="utf-8") if path.exists() else None
    found = [
        f"{notebook.relative_to(root)} has a set-up cell, blank or fold that is not up to date"
        for notebook in cells.outdated(root)
    ]
    if written != render(root):
        found.append(f"{MODULE} is not what the notebooks export")
    return "".join(f"{problem}: run `make export`\n" for problem in found).rstrip() or None


def write(root: Path = ROOT) -> None:
    """Write what is out of date, each file whole or not at all."""
    path, text = root / MODULE, render(root)
    if text is None:
        path.unlink(missing_ok=True)
    elif not path.exists() or path.read_text(encoding="utf-8") != text:
        replace_text(path, text)
    cells.write(root)  # set-up cells have the hash of what stands now in the module


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write torch_mlp.py from the exported cells.")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    arguments = parser.parse_args()
    try:
        if arguments.check:
            if problem := stale():
                raise BookError(problem)
        else:
            write()
    except BookError as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
