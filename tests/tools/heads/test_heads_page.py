"""The guard's page: its session is what a terminal shows, its examples are what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from books import ROOT
from torch import nn

from tools.torch_heads import check_head, guard, rules
from tools.torch_heads.scan import scan

PAGE = ROOT / "content" / "mlp" / "guard.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RULE = re.compile(r"^`([\w-]+)`: [^\n]*\n\n```python\n(.*?)```", re.DOTALL | re.MULTILINE)
NAMES = "from torch import nn\nimport torch\nimport torch.nn.functional as F\n"
LOGITS = "z = nn.Linear(784, 10)(x)\n"


def blocks(language: str) -> list[str]:
    """The code on the page in a language."""
    return [text for name, text in BLOCK.findall(TEXT) if name == language]


def codes(folder: Path, text: str) -> list[tuple[str, str]]:
    """The codes that the command reports, each with the comment of its line."""
    (folder / "a.py").write_text(NAMES + LOGITS + text)
    lines = (NAMES + LOGITS + text).splitlines()
    found = scan([str(folder / "a.py")]).findings
    return [(each.code, lines[each.where.line - 1].rpartition("# ")[2]) for each in found]


def test_each_rule_has_a_wrong_line_and_a_right_one(tmp_path: Path):
    shown = dict(RULE.findall(TEXT[TEXT.index("## What it finds") :]))
    for code, text in shown.items():
        assert codes(tmp_path, text) == [(code, "wrong")]
        assert text.count("# right") == 1
    errors = {each.code for each in rules.RULES.values() if each.severity == "error"}
    assert set(shown) == errors


def test_its_essential_lines_see_a_softmax():
    (text,) = (each for each in blocks("python") if "def glance" in each)
    exec(text, names := {})
    glance, healthy, x = names["glance"], nn.Linear(2, 3), torch.randn(8, 2)
    sick = nn.Sequential(healthy, nn.Softmax(dim=1))
    assert "certainly" in glance(sick(x)) and "certainly" in glance(sick(x).view(-1, 3))
    assert "looks like" in glance(sick(x).detach()) and "nothing" in glance(healthy(x))


def test_what_is_risky_or_superfluous_is_said_to_be(tmp_path: Path):
    (text,) = (each for each in blocks("python") if "# risky" in each)
    found = codes(tmp_path, text)
    assert found == [("log-of-softmax", "risky"), ("double-log-softmax", "superfluous")]
    assert {code for code, _ in found} == {
        each.code
        for each in rules.RULES.values()
        if each.severity != "error" and "relu" not in each.code
    }


def test_the_page_names_every_code_and_no_other():
    part = TEXT[TEXT.index("## What it finds") : TEXT.index("## What it cannot see")]
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+|broadcast)`", part))
    assert named == set(rules.all_codes()) - {"unused-ignore"}


@pytest.mark.skipif(os.name == "nt", reason="a session of a shell")
def test_the_session_is_real(tmp_path: Path):
    files = re.findall(r"`(\w+\.py)`:\n\n```python\n(.*?)```", TEXT, re.DOTALL)
    assert [name for name, _ in files] == ["net.py", "train.py"]
    for name, text in files:
        (tmp_path / name).write_text(text)
    (session,) = blocks("console")
    commands = re.findall(r"^\$ (.*)$", session, re.MULTILINE)
    # sh allows no hyphen in a function's name; the status of a command is that of the one before.
    program = f'torch_heads() {{ "{sys.executable}" -m tools.torch_heads "$@"; }}\n'
    for each in commands:
        run = each.replace("torch-heads", "torch_heads", 1)
        program += f"before=$?; echo '$ {each}'; (exit $before); {run}\n"
    env = os.environ | {"PYTHONPATH": str(ROOT / "content")}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    assert subprocess.run(["sh", "-c", program], cwd=tmp_path, env=env, **options).stdout == session


def test_the_command_on_the_page_itself():
    """All of its Python is in one text, as in a notebook: what is marked as wrong is found."""
    lines = TEXT.splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.endswith("# wrong")}
    found = {each.where.line for each in scan([str(PAGE)]).findings if each.severity == "error"}
    assert found == wrong


def test_the_loop_on_the_page(capsys: pytest.CaptureFixture):
    x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
    model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(1))
    with pytest.raises(ValueError, match="softmax goes into"):
        guard(nn.CrossEntropyLoss())(model(x), y)
    names = {"model": model, "x": x, "y": y, "nn": nn}
    (text,) = (each for each in blocks("python") if "check_head(" in each)
    text = text.replace("torch_heads", "tools.torch_heads")
    with pytest.raises(AssertionError, match="softmax goes into"):
        exec(text, names)
    exec(text, names | {"model": model[0]})
    assert check_head(model[0], nn.CrossEntropyLoss(), x, y).ok


def test_the_configuration_on_the_page_is_valid():
    hook = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    config = yaml.safe_load(blocks("yaml")[0])
    assert [each["id"] for each in config["repos"][0]["hooks"]] == [each["id"] for each in hook]
    assert yaml.safe_load(blocks("yaml")[1])
