"""Formulas in outputs: MyST leaves them as they are, so KaTeX runs here, too."""

from __future__ import annotations

import atexit
import json
import subprocess
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

# Reads a formula and how to show it (JSON) a line, answers with its HTML or what is wrong with it.
SCRIPT = """
const katex = require("katex");
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  let answer;
  try {
    const [tex, displayMode, macros] = JSON.parse(line);
    answer = { html: katex.renderToString(tex, { displayMode, macros }) };
  } catch (error) {
    answer = { error: true, message: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""

GONE = {"error": True, "message": "it does not answer; run `npm install --ignore-scripts` in theme"}

_one_at_a_time = threading.Lock()  # the preview answers in several threads


@lru_cache(maxsize=1)
def _katex() -> subprocess.Popen[str]:
    """Node.js with KaTeX, started for the first formula only."""
    process = subprocess.Popen(
        ["node", "-e", SCRIPT],
        cwd=Path(__file__).resolve().parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    atexit.register(process.communicate)  # closes its input, at which it ends
    return process


def node(tex: str, *, display: bool, macros: dict[str, str] | None = None) -> dict[str, Any]:
    """The formula as in MyST's tree: its `value` with `html`, or with `error` and `message`."""
    with _one_at_a_time:
        try:
            process = _katex()
            assert process.stdin and process.stdout
            print(json.dumps([tex, display, macros or {}]), file=process.stdin, flush=True)
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        if not answer:
            _katex.cache_clear()  # the next question starts it again
    return {"value": tex, **(json.loads(answer) if answer else GONE)}
