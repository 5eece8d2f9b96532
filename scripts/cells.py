"""What `make export` writes into the notebooks: set-up cells, blanks, and folds for every host.

The set-up cell (tag `setup`) is setup_cell.py, with the address of the repository from myst.yml,
the release from CITATION.cff, and the files that this notebook uses. The list differs between
notebooks, so that a change of one module does not execute those again that do without it.

An exercise has three cells: a blank (tag `exercise`), a check (`check`) and a solution
(`solution`). The blank is generated: it is the solution with each part between
`### BEGIN SOLUTION` and `### END SOLUTION` taken out, and without the solution's last call of
`attempt`. Its id is the solution's with `-blank` behind it.

A cell tagged `setup`, `solution` or `hide-input` is folded. MyST folds by the tag `hide-input`,
JupyterLab by `jupyter.source_hidden`, Colab by `cellView` with a first line `# @title ...`.
"""

from __future__ import annotations

import ast
import copy
import json
import re
from pathlib import Path
from typing import Any

import yaml
from sources import (
    BookError,
    config,
    notebook_files,
    notebooks,
    read_notebook,
    replace_text,
    source,
    tags,
)

SETUP = Path(__file__).with_name("setup_cell.py")
GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)/?")
RAW = "https://raw.githubusercontent.com"

FOLDED = frozenset({"setup", "solution", "hide-input"})
TITLE = re.compile(r"\A# @title .*\n")
SOLUTION = re.compile(
    r"^(?P<indent> *)### BEGIN SOLUTION\n.*?^(?P=indent)### END SOLUTION$",
    re.DOTALL | re.MULTILINE,
)
BLANK = r'\g<indent>raise NotImplementedError("replace this line with your answer")'


def outdated(root: Path) -> dict[Path, dict[str, Any]]:
    """The notebooks that `make export` would change, as they should be.

    Raises:
        BookError: a solution has no blank or check before it, or nothing to take out; a set-up
            cell is wanted, and myst.yml or CITATION.cff do not say where to fetch from.
    """
    found = {}
    for name in notebooks(root):
        notebook = read_notebook(root / name)
        wanted = copy.deepcopy(notebook)
        for cell in wanted["cells"]:
            if "setup" in tags(cell):
                _set_source(cell, set_up(root, notebook))
            if cell["cell_type"] == "code":
                _fold(cell)
        _fill_blanks(wanted["cells"], name)
        if wanted != notebook:
            found[root / name] = wanted
    return found


def write(root: Path) -> None:
    """Change them, each whole or not at all. The text is as nbformat would write it."""
    for path, notebook in outdated(root).items():
        text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        replace_text(path, text)


def set_up(root: Path, notebook: dict[str, Any]) -> str:
    """The text of a notebook's set-up cell. Raises BookError."""
    github = GITHUB.fullmatch(str((config(root).get("project") or {}).get("github")))
    if not github:
        raise BookError("myst.yml: project.github must be https://github.com/OWNER/NAME")
    values = {
        "REPOSITORY": json.dumps(f"{RAW}/{github[1]}"),
        "RELEASE": json.dumps(f"v{release(root)}"),
        "MODULES": json.dumps(notebook_files(root, notebook), indent=4).replace('"\n}', '",\n}'),
    }
    text = SETUP.read_text(encoding="utf-8").rstrip()
    for name, value in values.items():
        text = re.sub(rf"^{name}\b.*$", f"{name} = {value}", text, count=1, flags=re.MULTILINE)
    return text


def release(root: Path) -> str:
    """The version of the last release, from CITATION.cff. Raises BookError."""
    path = root / "CITATION.cff"
    if path.exists():
        version = yaml.safe_load(path.read_text(encoding="utf-8")).get("version")
        if re.fullmatch(r"\d+\.\d+\.\d+", str(version)):
            return version
    raise BookError("CITATION.cff: `version` must be the last release, as in 1.2.3")


def _set_source(cell: dict[str, Any], text: str) -> None:
    if text != source(cell):
        cell["source"] = text.splitlines(keepends=True)


def _fold(cell: dict[str, Any]) -> None:
    """Write the one decision, folded or not, into the three forms."""
    metadata, kinds = cell["metadata"], FOLDED.intersection(tags(cell))
    for key in ("cellView", "jupyter"):
        metadata.pop(key, None)
    if not kinds:
        _set_source(cell, TITLE.sub("", source(cell)))
        return
    if not TITLE.match(source(cell)):
        default = "Draw the figure" if cell["id"].endswith("-figure") else "Code"
        title = "Solution" if "solution" in kinds else default
        _set_source(cell, f"# @title {title}\n{source(cell)}")
    if "hide-input" not in kinds:
        metadata["tags"] = [*tags(cell), "hide-input"]
    metadata |= {"jupyter": {"source_hidden": True}, "cellView": "form"}


def _fill_blanks(cells: list[dict[str, Any]], name: str) -> None:
    for number, cell in enumerate(cells):
        if "solution" not in tags(cell):
            continue
        place = f'{name}, cell "{cell["id"]}"'
        before = cells[max(0, number - 2) : number]
        if [kind for each in before for kind in tags(each)] != ["exercise", "check"]:
            raise BookError(f"{place}: a solution comes after its blank and its check")
        if before[0]["id"] != f"{cell['id']}-blank":
            raise BookError(f"{place}: the id of its blank must be {cell['id']}-blank")
        _set_source(before[0], blank(source(cell), place))


def blank(solution: str, place: str) -> str:
    """The cell that the reader fills in, from its solution. Raises BookError."""
    text, count = SOLUTION.subn(BLANK, solution)
    if not count:
        raise BookError(f"{place}: nothing between ### BEGIN SOLUTION and ### END SOLUTION")
    last = ast.parse(text).body[-1]
    if not ast.unparse(last).startswith("attempt("):
        raise BookError(f"{place}: a solution ends by calling attempt(...)")
    lines = text.splitlines()[: last.lineno - 1]
    return TITLE.sub("", "\n".join(lines).rstrip())
