"""Figures that answer when touched: one JavaScript module each, in `content/play/`.

:func:`play` displays one, in every form at once, and each host takes the best that it knows: the
book's site a module of its own, JupyterLab and Colab a script, paper a still picture.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from IPython.display import display
from matplotlib.figure import Figure

from tools import figures

__all__ = ["play"]

FOLDER = Path(__file__).resolve().parents[1] / "play"
#: What theme/ takes: a front-end module as anywidget has it (https://anywidget.dev/en/afm/), and
#: the values of its model.
MIME = "application/vnd.afm+json"
IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.mjs";', re.MULTILINE)
COMMENT = re.compile(r"^[ \t]*(?://.*\n|/\*\*(?s:.*?)\*/\n)?[ \t]*", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|function|class) (\w+))", re.MULTILINE)

# The box holds the still picture until the script has run. Both may stand in a page twice, when a
# cell has run twice or two notebooks are open; each script takes the boxes that are its own.
# JupyterLab would take the arrow keys for itself.
BOX = """<div data-play="{key}">{still}</div>
<script type="module">
{module}
const values = {values};
for (const el of document.querySelectorAll('[data-play="{key}"]')) {{
  delete el.dataset.play;
  el.replaceChildren();
  el.addEventListener("focusin", ({{ target }}) => (target.dataset.lmSuppressShortcuts = true));
  figure.render({{ model: {{ get: (name) => values[name] }}, el }});
}}
</script>"""


def play(name: str, still: Figure, description: str, /, **state: Any) -> None:
    """Show the figure `content/play/NAME.mjs`.

    Args:
        name: of the module, without its suffix.
        still: what paper shows, and a page without JavaScript.
        description: of the still picture, one sentence that ends with a period.
        **state: what the module gets from `model.get(...)`: numbers, texts, tensors, and lists
            and dictionaries of these.

    Raises:
        FileNotFoundError: there is no such module.
        TypeError: a value of the state has no form in JSON.
        ValueError: a number is infinite or nan; or as in :func:`tools.figures.show`.
    """
    module = in_one(f"{name}.mjs")
    values = json.dumps(state, default=_numbers, allow_nan=False, separators=(",", ":"))
    data, metadata = figures.bundle(still, description)
    inline = {
        "key": hashlib.sha256(f"{module}{values}".encode()).hexdigest()[:16],
        "still": data["text/html"],
        "module": module.replace("export default ", "const figure = ", 1),
        "values": values.replace("</", "<\\/"),  # the one thing that would end the script
    }
    data["text/html"] = BOX.format(**inline)
    data[MIME] = {"name": name, "esm": module, "model": json.loads(values)}
    display(data, metadata=metadata, raw=True)


def in_one(file: str) -> str:
    """A module of FOLDER as one text, with what it imports from there in front of it.

    Without comments and indentation, which are for those who read the sources.
    """
    before: dict[str, str] = {}

    def read(name: str) -> str:
        text = (FOLDER / name).read_text(encoding="utf-8")
        for _, other in IMPORT.findall(text):
            if other not in before:
                inner = read(f"{other}.mjs")
                names = ", ".join(EXPORT.findall(inner))
                inner = EXPORT.sub("", inner)
                scope = f"(() => {{\n{inner}\nreturn {{ {names} }};\n}})()"
                before[other] = f"const in_{other} = {scope};\n"
        return IMPORT.sub(r"const \1 = in_\2;", text)

    text = read(file)
    return COMMENT.sub("", "".join([*before.values(), text]))


def _numbers(value: Any) -> Any:
    """A tensor as lists of numbers. Raises TypeError for what is none."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a figure's state holds numbers, texts and tensors, not {value!r}")
