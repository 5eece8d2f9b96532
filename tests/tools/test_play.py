"""A figure that answers reaches each host in a form that runs there."""

import json
import re
import subprocess

import pytest
import torch
from books import ROOT

from tools import figures, play

FINDING = "A curve falls from 1 to 0."
FIGURES = sorted(
    path.stem
    for path in (ROOT / "content" / "play").glob("*.mjs")
    if re.search(r"^export default", path.read_text(), re.MULTILINE)
)


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: a list of (data, metadata)."""
    calls = []
    monkeypatch.setattr(play, "display", lambda data, metadata, raw: calls.append((data, metadata)))
    return calls


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Figures to try: one that imports from a module that imports from another."""
    monkeypatch.setattr(play, "FOLDER", tmp_path)
    (tmp_path / "a.mjs").write_text(
        'import { twice } from "./b.mjs";\nimport { own } from "./c.mjs";\n'
        "/** A note\n    of two lines. */\nexport const heights = [20, 10];\n"
        "// another than that of c\nconst hidden = 1;\n"
        'export default { render: ({ model }) => twice(model.get("n")) + own() + hidden };\n'
    )
    (tmp_path / "b.mjs").write_text(
        'import { own } from "./c.mjs";\n'
        "export function twice(n) {\n  // own\n  return n * own();\n}\n"
    )
    (tmp_path / "c.mjs").write_text("const hidden = 2;\nexport const own = () => hidden;\n")
    return tmp_path


def still():
    fig, ax = figures.subplots()
    ax.plot([0, 1], [1, 0])
    ax.set(xlabel="x", ylabel="y")
    return fig


def node(program: str) -> str:
    """What a module says in Node."""
    command = ["node", "--input-type=module"]
    done = subprocess.run(command, input=program, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_module_and_what_it_imports_become_one(folder):
    text = play.in_one("a.mjs")
    assert "//" not in text and "note" not in text
    assert re.search(r"^export const heights = \[20, 10\];$", text, re.MULTILINE)
    tried = text.replace("export default", "const figure =")
    assert node(f"{tried}\nconsole.log(figure.render({{ model: {{ get: () => 5 }} }}))") == "13"


@pytest.mark.parametrize("name", FIGURES)
def test_the_book_s_figures_are_modules_in_one(name):
    text = play.in_one(f"{name}.mjs")
    tried = text.replace("export default ", "const figure = ", 1)
    assert node(f"{tried}\nconsole.log(typeof figure.render)") == "function"
    assert not re.search(r"^import|</script|<!--", text, re.MULTILINE)


def test_each_host_gets_its_form(shown, folder):
    numbers = torch.tensor([[1.0, 0.1]], dtype=torch.float64)
    play.play("a", still(), FINDING, n=numbers, word="</script>")
    ((data, metadata),) = shown
    own = data[play.MIME]
    assert own["model"] == {"n": [[1.0, 0.1]], "word": "</script>"}
    assert own["name"] == "a" and own["esm"] == play.in_one("a.mjs")
    assert metadata["image/svg+xml"]["alt"] == FINDING == data["text/plain"]
    box, script = data["text/html"].split('<script type="module">')
    assert f'alt="{FINDING}"' in box
    assert script.count("</script>") == 1 and script.endswith("</script>")
    json.dumps(data)


def test_the_same_figure_has_the_same_bytes_and_another_state_another_place(shown, folder):
    for n in (1, 1, 2):
        play.play("a", still(), FINDING, n=n)
    first, again, other = (data["text/html"] for data, _ in shown)
    place = re.compile(r'data-play="(\w+)"')
    assert first == again
    assert place.search(first)[1] != place.search(other)[1]


@pytest.mark.parametrize(
    ("name", "state", "error"),
    [
        ("z", {}, FileNotFoundError),
        ("a", {"n": float("nan")}, ValueError),
        ("a", {"n": object()}, TypeError),
    ],
)
def test_what_cannot_be_shown_is_an_error(shown, folder, name, state, error):
    with pytest.raises(error):
        play.play(name, still(), FINDING, **state)
    assert shown == []
