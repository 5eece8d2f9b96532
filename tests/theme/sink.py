"""The kitchen sink: a book with one of each thing that a page can hold, built with MyST.

python -m tests.theme.sink    build it to look at
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RED_SQUARE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mP8z8BQz0AEYBxVSF+FABJADveWkH6o"
    "AAAAAElFTkSuQmCC"
)


def shown(bundle: dict, **metadata: dict) -> dict:
    """An output that a cell displays."""
    return {"output_type": "display_data", "data": bundle, "metadata": metadata}


def stream(name: str, text: str) -> dict:
    """An output that a cell writes."""
    return {"output_type": "stream", "name": name, "text": text}


CELLS = {
    "streams": [
        stream("stdout", "standard output\n\x1b[31mred\x1b[0m <b>no markup</b>\n"),
        stream("stderr", "standard error\n"),
    ],
    "table": [
        shown(
            {
                "text/html": '<table border="1"><tr><th>n</th></tr><tr><td>1</td></tr></table>'
                "<script>alert(1)</script>",
                "text/plain": "plain",
            }
        )
    ],
    "sentence": [
        shown(
            {"text/markdown": "It is **2** $< x^2$.\n\n$$\ny\n$$\n\n| n | e |\n|--|--:|\n| W | 1 |"}
        )
    ],
    "photograph": [
        shown({"image/png": RED_SQUARE}, **{"image/png": {"alt": "A red square, computed."}})
    ],
    "figure": [
        shown(
            {"image/svg+xml": (HERE / "kitchen-sink" / "drawing.svg").read_text()},
            **{"image/svg+xml": {"alt": "Two circles, computed."}},
        )
    ],
    "widget": [
        shown(
            {
                "application/vnd.afm+json": {
                    "name": "counter",
                    "esm": (HERE / "kitchen-sink" / "counter.mjs").read_text(),
                    "model": {"count": 5, "more": list(range(1000))},
                },
                "image/svg+xml": (HERE / "kitchen-sink" / "drawing.svg").read_text(),
            },
            **{"image/svg+xml": {"alt": "A counter, as it begins."}},
        )
    ],
    "formula": [shown({"text/latex": "$\\displaystyle \\frac{x^2}{2}$", "text/plain": "x**2/2"})],
    "value": [{"output_type": "execute_result", "execution_count": 1, "metadata": {}}],
    "long-line": [stream("stdout", "x" * 300 + "\n")],
    "long-output": [stream("stdout", "".join(f"line {n}\n" for n in range(100)))],
    "progress": [
        shown({"application/vnd.jupyter.widget-view+json": {"model_id": "a"}, "text/plain": "0%|"})
    ],
    "raises": [
        {
            "output_type": "error",
            "ename": "ZeroDivisionError",
            "evalue": "division by zero",
            "traceback": ["\x1b[31mZeroDivisionError\x1b[39m: division by zero"],
        }
    ],
    "hidden-input": [stream("stdout", "its input is folded\n")],
    "hidden-output": [stream("stdout", "folded\n")],
    "hidden-cell": [stream("stdout", "both are folded\n")],
    "removed-input": [stream("stdout", "it has no input\n")],
    "a-solution": [stream("stdout", "solved\n")],
}
CELLS["value"][0]["data"] = {"text/plain": "3.5"}
TAGS = {
    "hidden-input": ["hide-input"],
    "hidden-output": ["hide-output"],
    "hidden-cell": ["hide-cell"],
    "removed-input": ["remove-input"],
    "raises": ["raises-exception"],
    "a-solution": ["hide-input"],
}
# The first line of a folded cell names it, here and in Colab.
TITLES = {"a-solution": "# @title Solution\n"}


def outputs_notebook() -> dict:
    """A notebook with every kind of output, as if it had been executed."""

    def cell(kind: str, name: str, source: str, **keys: object) -> dict:
        metadata = {"tags": TAGS[name]} if name in TAGS else {}
        return {"cell_type": kind, "id": name, "metadata": metadata, "source": source, **keys}

    code = [
        cell(
            "code",
            name,
            f"{TITLES.get(name, '')}show({name!r})",
            outputs=outputs,
            execution_count=1,
        )
        for name, outputs in CELLS.items()
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    text = "# Outputs\n\nA page of [links](index.md) and outputs.\n\n## Of every kind"
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "cells": [cell("markdown", "text", text), *code],
    }


def create(folder: Path) -> None:
    """Write the kitchen sink's sources to the empty folder, with the theme beside them."""
    shutil.copytree(HERE / "kitchen-sink", folder, dirs_exist_ok=True)
    (folder / "photo.png").write_bytes(base64.b64decode(RED_SQUARE))
    (folder / "outputs.ipynb").write_text(json.dumps(outputs_notebook()))
    ignore = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(ROOT / "theme", folder / "theme", ignore=ignore)
    (folder / "theme" / "node_modules").symlink_to(ROOT / "theme" / "node_modules")


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the book in `folder` with MyST, without executing; the site is in _build/html."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["myst", "build", "--html", "--strict", "--ci"],
        cwd=folder,
        env={**os.environ, "PATH": programs, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def main() -> int:
    """Build it in _build/sink, and say where to look or what is wrong."""
    folder = ROOT / "_build" / "sink"
    shutil.rmtree(folder, ignore_errors=True)
    create(folder)
    done = build(folder)
    where = f"Look at {folder / '_build' / 'html' / 'index.html'}"
    print(done.stdout + done.stderr if done.returncode else where)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
