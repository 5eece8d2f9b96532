"""Formulas that code puts out: MyST leaves them as they are, so KaTeX runs here, too."""

from __future__ import annotations

import atexit
import json
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

# Reads a formula and how to show it (JSON) a line, answers with its HTML or what is wrong with it.
SCRIPT = """
const katex = require("katex");
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  let answer;
  try {
    const [tex, displayMode] = JSON.parse(line);
    answer = { html: katex.renderToString(tex, { displayMode }) };
  } catch (error) {
    answer = { error: true, message: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\\n");
});
"""


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
    # The last to be registered is the first to be called.
    atexit.register(process.stdout.close)
    atexit.register(process.wait)
    atexit.register(process.stdin.close)
    return process


def node(tex: str, *, display: bool) -> dict[str, Any]:
    """The formula as in MyST's tree: its `value` with `html`, or with `error` and `message`."""
    process = _katex()
    process.stdin.write(json.dumps([tex, display]) + "\n")
    process.stdin.flush()
    return {"value": tex, **json.loads(process.stdout.readline())}
