"""What `make export` writes into the notebooks: set-up cells, blanks, and folds for every host.

The set-up cell (tag `setup`) is setup_cell.py, with the address of the repository from myst.yml,
the release, the files that this notebook uses, and the SHA-256 of tools/fetch.py, which fetches
them where there is no clone.

An exercise has three cells: a blank (tag `exercise`), a check (`check`) and a solution
(`solution`). The blank is generated: it is the solution with each part between
`### BEGIN SOLUTION` and `### END SOLUTION` taken out, and without the solution's last call of
`attempt`. Its id is the solution's with `-blank` behind it.

A cell tagged `setup`, `solution`, `hide-input` or (with its output) `hide-cell` is folded. MyST
folds by the last two, JupyterLab by `jupyter.source_hidden`, Colab by `cellView` with a first line
`# @title ...`.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import yaml

from scripts.sources import CONTENT, PICTURES, Book, BookError, is_shared, source, tags

SETUP = Path(__file__).with_name("setup_cell.py")
FIRST_RELEASE = "0.1.0"

FOLDED = frozenset({"setup", "solution", "hide-input", "hide-cell"})
TITLE = re.compile(r"\A# @title .*\n")
SOLUTION = re.compile(
    r"^(?P<indent> *)### BEGIN SOLUTION\n.*?^(?P=indent)### END SOLUTION$",
    re.DOTALL | re.MULTILINE,
)
BLANK = r'\g<indent>raise NotImplementedError("replace this line with your answer")'


def notebooks(book: Book) -> dict[str, str]:
    """The text of each notebook with its generated cells; as it is where they are as they should.

    Raises:
        BookError: a solution has no blank or check before it, or nothing to take out; a set-up
            cell is wanted, and myst.yml or CITATION.cff do not say where to fetch from.
    """
    found = {}
    for name, notebook in book.notebooks.items():
        wanted = copy.deepcopy(notebook)
        for cell in wanted["cells"]:
            if "setup" in tags(cell):
                _set_source(cell, set_up(book, notebook))
            if cell["cell_type"] == "code" and "id" in cell:  # others are not made for this
                _fold(cell)
        _fill_blanks(wanted["cells"], name)
        if wanted == notebook:
            found[name] = book.files[name].decode()
        else:  # as nbformat would write it
            text = json.dumps(wanted, indent=1, ensure_ascii=False, sort_keys=True)
            found[name] = text + "\n"
    return found


def set_up(book: Book, notebook: dict[str, Any]) -> str:
    """The text of a notebook's set-up cell. Raises BookError."""
    files = set(book.modules_of(notebook))
    files |= {name for name in book.data_of(notebook) if is_fetched(name)}
    packages = {f"{Path(name).parent.as_posix()}/__init__.py" for name in files}
    files |= packages & book.files.keys()
    names = " ".join(sorted(name.removeprefix(f"{CONTENT}/") for name in files))
    fetch = sha256(book.files[f"{CONTENT}/tools/fetch.py"])
    text = SETUP.read_text(encoding="utf-8").rstrip()
    for blank, value in {
        'FILES, SHA256 = "", ""': f'FILES, SHA256 = "{names}", "{fetch}"',
        "OWNER/NAME": book.github,
        "/RELEASE/": f"/v{release(book.root)}/",
    }.items():
        text = text.replace(blank, value)
    return text


def sha256(data: bytes) -> str:
    """The digest that set-up cells and fetch.py know a file by."""
    return hashlib.sha256(data).hexdigest()


def is_fetched(name: str) -> bool:
    """Whether a file of content/ is one that notebooks use while they run.

    Of a package in tools/ these are its own modules, not its command and what it keeps in folders.
    """
    path = Path(name)
    used = path.suffix not in (".ipynb", ".md", *PICTURES) and path.stem != "__main__"
    return used and is_shared(name)


def title(notebook: dict[str, Any]) -> str:
    """The first heading of a notebook."""
    texts = [source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    match = re.search(r"^# (.+)$", "\n".join(texts), re.MULTILINE)
    return match[1].strip() if match else "Untitled"


def release(root: Path) -> str:
    """The version of the last release, from CITATION.cff; before that, of the first one to come."""
    path = root / "CITATION.cff"
    known = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    version = str((known or {}).get("version", FIRST_RELEASE))
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise BookError(f"CITATION.cff: `version` must be as in 1.2.3, not {version}")
    return version


def _set_source(cell: dict[str, Any], text: str) -> None:
    if text != source(cell):
        cell["source"] = text.splitlines(keepends=True)


def _fold(cell: dict[str, Any]) -> None:
    """Write the one decision, folded or not, into the three forms."""
    metadata, kinds = cell["metadata"], FOLDED.intersection(tags(cell))
    metadata.pop("cellView", None)
    jupyter = dict(metadata.pop("jupyter", None) or {})  # where `outputs_hidden` is the author's
    jupyter.pop("source_hidden", None)
    jupyter |= {"source_hidden": True} if kinds else {}
    metadata |= {"jupyter": jupyter} if jupyter else {}
    if not kinds:
        _set_source(cell, TITLE.sub("", source(cell)))
        return
    if not TITLE.match(source(cell)):
        default = "Draw the figure" if cell["id"].endswith("-figure") else "Code"
        title = "Solution" if "solution" in kinds else default
        _set_source(cell, f"# @title {title}\n{source(cell)}")
    if kinds.isdisjoint({"hide-input", "hide-cell"}):
        metadata["tags"] = [*tags(cell), "hide-input"]
    metadata["cellView"] = "form"


def _fill_blanks(cells: list[dict[str, Any]], name: str) -> None:
    for number, cell in enumerate(cells):
        if "solution" not in tags(cell):
            continue
        place = f'{name}, cell "{cell.get("id", "")}"'
        before = cells[max(0, number - 2) : number]
        if [kind for each in before for kind in tags(each)] != ["exercise", "check"]:
            raise BookError(f"{place}: a solution must follow its blank and its check")
        if before[0].get("id") != f"{cell.get('id')}-blank":
            raise BookError(f"{place}: the id of its blank must be {cell.get('id')}-blank")
        _set_source(before[0], blank(source(cell), place))


def blank(solution: str, place: str) -> str:
    """The cell that the reader fills in, from its solution. Raises BookError."""
    text, count = SOLUTION.subn(BLANK, solution)
    if not count:
        raise BookError(f"{place}: nothing between ### BEGIN SOLUTION and ### END SOLUTION")
    last = ast.parse(text).body[-1]
    if not ast.unparse(last).startswith("attempt("):
        raise BookError(f"{place}: a solution must end with a call of attempt(...)")
    lines = text.splitlines()[: last.lineno - 1]
    return TITLE.sub("", "\n".join(lines).rstrip())
