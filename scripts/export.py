"""Write what is generated: modules, the notebooks' cells that cells.py makes, links.

    python -m scripts.export           write it
    python -m scripts.export --check   say whether it is up to date, and exit 1 if not

content/tools/torch_mlp.py holds the notebooks' cells tagged `export`, in the order of the table of
contents; torch_training.py holds those of content/training/, so that editing them does not execute
Part I again. An exported cell holds definitions; the imports that they need may stand in any cell
of the same notebooks. content/tools/fetch.py has a table of the other files and their SHA-256.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from scripts import cells
from scripts.sources import (
    CONTENT,
    Book,
    BookError,
    code_cells,
    parsed,
    replace_text,
    tags,
    tree_of_cell,
)

MODULE = "content/tools/torch_mlp.py"
TRAINING = "content/tools/torch_training.py"
TITLES = {
    MODULE: "The multilayer perceptron that the notebooks build, for the notebooks that follow.",
    TRAINING: "What the notebooks on training build, for the notebooks that follow.",
}
FETCH = "content/tools/fetch.py"
README = "README.md"
# What names the repository: links to Colab; how the guard is installed, and as a hook.
PAGES = (f"{CONTENT}/index.md", f"{CONTENT}/mlp/guard.md")
OURS = re.compile(
    r"(?<=\(https://colab\.research\.google\.com/github/)[\w.-]+/[\w.-]+(?=/)"
    r"|(?<=git\+https://github\.com/)[\w.-]+/[\w.-]+"
    r"|(?<=- repo: https://github\.com/)[\w.-]+/[\w.-]+"
)
PROJECT = "pyproject.toml"
VERSION = re.compile(r'(?<=^version = ").*(?=" # make export$)', re.MULTILINE)
HEADER = '''"""{}

Generated from the notebooks' cells tagged `export`. Do not edit: change the notebook, then run
`make export`.
"""
'''
COLAB_FORM = re.compile(r"#\s*@(title|param|markdown)\b.*\n?", re.MULTILINE)
TABLE = re.compile(r"^(FILES: dict\[str, str\] = )\{.*?\}$", re.DOTALL | re.MULTILINE)
LINKS = re.compile(r"(?<=<!-- links: make export -->\n).*?(?=<!-- end of links -->)", re.DOTALL)


def generated(book: Book) -> dict[str, str | None]:
    """Each generated file and what it should hold; None where it should not be. Raises BookError.

    What follows is made from what precedes: the table of fetch.py from the modules, the set-up
    cells from fetch.py.
    """
    found: dict[str, str | None] = {file: module(book, file) for file in TITLES}
    files = {name: data for name, data in book.files.items() if name not in found}
    files |= {file: text.encode() for file, text in found.items() if text}
    if FETCH in files:
        found[FETCH] = table_of_files(files, cells.release(book.root))
        files[FETCH] = found[FETCH].encode()
    found |= cells.notebooks(replace(book, files=dict(sorted(files.items()))))
    for page in book.files.keys() & set(PAGES):
        found[page] = OURS.sub(lambda _: book.github, book.files[page].decode())
    readme, project = book.root / README, book.root / PROJECT
    if readme.exists():
        text = OURS.sub(lambda _: book.github, readme.read_text(encoding="utf-8"))
        found[README] = LINKS.sub(lambda _: links(book), text)
    if project.exists():
        text = project.read_text(encoding="utf-8")
        found[PROJECT] = VERSION.sub(cells.release(book.root), text)
    return found


def outdated(book: Book) -> dict[str, str | None]:
    """The generated files that are not what they should be."""

    def current(name: str) -> str | None:
        path = book.root / name
        return path.read_text(encoding="utf-8") if path.exists() else None

    return {name: text for name, text in generated(book).items() if text != current(name)}


def stale(book: Book) -> str | None:
    """What to say when something generated is out of date; None when nothing is."""
    names = ", ".join(outdated(book))
    return f"{names}: out of date: run `make export`" if names else None


def write(book: Book) -> None:
    """Write what is out of date, each file whole or not at all."""
    for name, text in outdated(book).items():
        if text is None:
            (book.root / name).unlink()
        else:
            replace_text(book.root / name, text)


def table_of_files(files: dict[str, bytes], release: str) -> str:
    """fetch.py with its release, and the files that a notebook alone in a folder may want."""
    wanted = {
        name.removeprefix(f"{CONTENT}/"): cells.sha256(data)
        for name, data in sorted(files.items())
        if name != FETCH and cells.is_fetched(name)
    }
    rows = "".join(f'    "{name}": "{digest}",\n' for name, digest in wanted.items())
    text = re.sub(r'^RELEASE = ".*"$', f'RELEASE = "v{release}"', files[FETCH].decode(), flags=re.M)
    return TABLE.sub(lambda match: f"{match[1]}{{\n{rows}}}", text)


def links(book: Book) -> str:
    """The table of the README: each notebook's title, on the site and in Colab."""
    colab = f"https://colab.research.google.com/github/{book.github}/blob/main"
    badge = "https://colab.research.google.com/assets/colab-badge.svg"
    rows = ["| Notebook | |", "|---|---|"]
    for name, notebook in book.notebooks.items():
        title = cells.title(notebook)
        page = f"{book.address}/{name.removesuffix('.ipynb')}.html"
        rows.append(
            f"| [{title}]({page}) | [![Open “{title}” in Colab]({badge})]({colab}/{name}) |"
        )
    return "\n".join([f"**[Read the book]({book.address}/)**", "", *rows, ""])


@dataclass
class Exported:
    """What goes to a module, and the imports to choose from. Places are for messages."""

    module: str
    cells: list[str] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    imports: dict[str, dict[str, str]] = field(default_factory=dict)


def module(book: Book, file: str) -> str | None:
    """The text of a module; None when no cell is exported to it. Raises BookError."""
    exported = Exported(f"tools.{Path(file).stem}")
    for name, notebook in book.notebooks.items():
        if (TRAINING if name.startswith(f"{CONTENT}/training/") else MODULE) != file:
            continue
        for cell, text in code_cells(notebook):
            place = f'{name}, cell "{cell.get("id", "without id")}"'
            if "export" in tags(cell):
                _export(text, place, exported)
            else:
                _note_imports(tree_of_cell(text), place, exported)
    if not exported.cells:
        return None
    body = "\n\n\n".join(exported.cells)
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    imports = _merged([_import(name, exported) for name in used & exported.imports.keys()])
    names = [name for name in exported.places if not name.startswith("_")]
    public = "\n".join(["__all__ = [", *(f'    "{name}",' for name in names), "]"])
    head = "\n".join([HEADER.format(TITLES[file]), *imports, *([""] if imports else []), public])
    return f"{head}\n\n\n{body}\n"


def _export(text: str, place: str, exported: Exported) -> None:
    """Add an exported cell: its imports, and its definitions."""
    tree = parsed(text, place)
    _note_imports(tree, place, exported)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    for name in [name for node in tree.body for name in _defined(node, place)]:
        before = exported.places.setdefault(name, place)
        if before != place:
            raise BookError(f"{name} is exported twice: {before}, and {place}")
    lines = text.encode().splitlines(keepends=True)
    for node in reversed(imports):  # others may share the line
        first, last = node.lineno - 1, node.end_lineno or node.lineno
        rest = lines[last - 1][node.end_col_offset :].lstrip(b" ;")
        rest = b"\n" if rest.startswith(b"#") else rest
        lines[first:last] = [lines[first][: node.col_offset] + rest]
    body = COLAB_FORM.sub("", b"".join(lines).decode()).strip()
    if body:
        exported.cells.append(f"# From {place}\n{body}")


def _note_imports(tree: ast.Module, place: str, exported: Exported) -> None:
    """Remember which statement binds which name."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == exported.module:
            continue  # the module that we write
        if isinstance(node, ast.Import | ast.ImportFrom):
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


def _merged(statements: list[str]) -> list[str]:
    """The imports, sorted, with one statement for what comes from one module."""
    plain = sorted(each for each in statements if each.startswith("import "))
    modules: dict[str, list[str]] = {}
    for each in sorted(set(statements) - set(plain)):
        head, _, name = each.partition(" import ")
        modules.setdefault(head, []).append(name)
    return [*plain, *(f"{head} import {', '.join(names)}" for head, names in modules.items())]


def _defined(node: ast.stmt, place: str) -> list[str]:
    """The names that a statement defines. Raises BookError for what is no definition or import."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return []
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    if isinstance(node, ast.Assign | ast.AnnAssign):
        if all(isinstance(target, ast.Name) for target in targets):
            return [target.id for target in targets]
    statement = ast.unparse(node).partition("\n")[0]
    raise BookError(f"{place}: an exported cell holds definitions only, not `{statement}`")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write what is generated.")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    arguments = parser.parse_args()
    try:
        book = Book.read()
        if not arguments.check:
            write(book)
        elif problem := stale(book):
            raise BookError(problem)
    except (BookError, OSError) as error:
        print(f"export: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
