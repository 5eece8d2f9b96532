"""The command: a corpus, its limits, and programs that are run to see what is true."""

import itertools
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools import torch_heads

CORPUS = Path(__file__).parent / "corpus"
POSITIVE = sorted((CORPUS / "positive").iterdir())
NEGATIVE = sorted((CORPUS / "negative").iterdir())
UNSEEN = sorted((CORPUS / "unseen").iterdir())


def marked(item, mark):
    """The places in an item of the corpus whose line ends in "# <- finding" (or note)."""
    places = set()
    for path in [item] if item.is_file() else sorted(item.rglob("*.*")):
        cells = [(str(path), path.read_text("utf-8"))]
        if path.suffix == ".ipynb":
            cells = enumerate(json.loads(cells[0][1])["cells"], 1)
            cells = [(f"{path}:cell {n}", "".join(cell["source"])) for n, cell in cells]
        for place, text in cells:
            lines = enumerate(text.split("\n"), 1)
            places |= {f"{place}:{n}" for n, line in lines if line.endswith(f"# <- {mark}")}
    return places


def found(item):
    """(places with an error, places with less) that the command reports."""
    findings, _, _ = torch_heads.scan([str(item)])
    errors = {finding.where for finding in findings if finding.severity == "error"}
    return errors, {finding.where for finding in findings} - errors


# ---------------------------------------------------------------------------------------------
# The corpus


@pytest.mark.parametrize(
    "item", POSITIVE + NEGATIVE, ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_corpus(item):
    assert found(item) == (marked(item, "finding"), marked(item, "note"))


def test_precision_and_recall(capsys):
    assert len(POSITIVE) >= 40 and len(NEGATIVE) >= 60
    wanted = set().union(*(marked(item, "finding") for item in POSITIVE))
    reported = set().union(*(found(item)[0] for item in [*POSITIVE, *NEGATIVE]))
    unseen = set().union(*(marked(item, "unseen") for item in UNSEEN))
    right = len(wanted & reported)
    with capsys.disabled():
        print(
            f"\ntorch_heads: {len(POSITIVE)} positive programs with {len(wanted)} places, "
            f"{len(NEGATIVE)} negative: precision {right / len(reported):.3f}, "
            f"recall {right / len(wanted):.3f} ({right / len(wanted | unseen):.3f} with the "
            f"{len(unseen)} that it says it cannot see)"
        )
    assert all(marked(item, "finding") for item in POSITIVE)
    assert not any(marked(item, "finding") for item in NEGATIVE)
    assert reported == wanted


@pytest.mark.parametrize("item", UNSEEN, ids=lambda path: path.name)
def test_what_it_cannot_see_is_documented(item):
    assert marked(item, "unseen")
    assert found(item) == (set(), set()), "it is seen now: move it to positive/"
    assert f"({item.name})" in torch_heads.__doc__


def test_each_documented_limit_has_an_example():
    assert set(re.findall(r"\((\w+\.py)\)", torch_heads.__doc__)) == {p.name for p in UNSEEN}


def test_confidence():
    confidence = {
        item.name: {finding.confidence for finding in torch_heads.scan([str(item)])[0]}
        for item in POSITIVE
    }
    assert confidence["direct_functional.py"] == confidence["sequential.py"] == {"certain"}
    assert confidence["class_attribute.py"] == confidence["two_files"] == {"likely"}


# ---------------------------------------------------------------------------------------------
# Generated programs: what the command says is compared with what happens when they run


class Value:
    """A tensor that only remembers what it came out of."""

    def __init__(self, op):
        self.op = op

    def view(self, *_):
        return self

    softmax = lambda self, dim: Value("softmax")  # noqa: E731
    __mul__ = __add__ = lambda self, other: Value("other")  # noqa: E731


class Functional:
    """torch.nn.functional for `Value`: notes which line each loss gets what in."""

    def __init__(self, seen):
        self.seen = seen

    def cross_entropy(self, value, target):
        line = sys._getframe(1).f_lineno
        self.seen.setdefault(line, set()).add(value.op)

    softmax = staticmethod(lambda value, dim: Value("softmax"))


NAMES = st.sampled_from("abc")
SIMPLE = [
    st.builds("{} = F.softmax({}, 1)".format, NAMES, NAMES),
    st.builds("{} = {}.softmax(1)".format, NAMES, NAMES),
    st.builds("{} = scores()".format, NAMES),
    st.builds("{} = {}".format, NAMES, NAMES),
    st.builds("{0} = {1}.view(-1)".format, NAMES, NAMES),
    st.builds("{} = {} * 2".format, NAMES, NAMES),
    st.builds("{0}, {1} = {1}, {0}".format, NAMES, NAMES),
    st.builds("{} = {} if next(flags) else {}".format, NAMES, NAMES, NAMES),
    st.builds("F.cross_entropy({}, y)".format, NAMES),
    st.builds("F.cross_entropy({}, y)".format, NAMES),
]
CALLS = [
    st.builds("{} = f({})".format, NAMES, NAMES),
    st.builds("{} = n({})".format, NAMES, NAMES),
    st.builds("n.act = {}".format, st.sampled_from(["soft", "same"])),
]


def indented(block):
    return ["    " + line for line in block]


def compound(inner):
    def branch(head, body, rest):
        return [f"if next(flags){head}:", *indented(body), "else:", *indented(rest)]

    def attempt(body, handler):
        body = [*body, "if next(flags): raise KeyError"]
        return ["try:", *indented(body), "except KeyError:", *indented(handler)]

    def loop(body, jump):
        body = [*body, f"if next(flags): {jump}", f"F.cross_entropy({'abc'[len(body) % 3]}, y)"]
        return ["for _ in range(2):", *indented(body)]

    return st.one_of(
        st.builds(branch, st.sampled_from(["", " and True"]), inner, inner),
        st.builds(attempt, inner, inner),
        st.builds(loop, inner, st.sampled_from(["break", "continue", "pass"])),
    )


def blocks(simple):
    def longer(inner):
        parts = st.lists(simple.map(lambda line: [line]) | compound(inner), min_size=1, max_size=4)
        return parts.map(lambda parts: [line for part in parts for line in part])

    return st.recursive(st.lists(simple, min_size=1, max_size=4), longer, max_leaves=8)


def program(function, main):
    return "\n".join(
        [
            "import torch.nn.functional as F",
            "def soft(v): return F.softmax(v, 1)",
            "def same(v): return v",
            "def f(a):",
            "    b, c = a, scores()",
            *indented(function),
            "    if next(flags): return b",
            "    return a",
            "class N:",
            "    def __init__(self): self.act = soft",
            "    def __call__(self, v): return self.act(v)",
            "n, a, b, c, y = N(), scores(), soft(scores()), F.softmax(scores(), 1), None",
            *main,
        ]
    )


def run(text):
    """What each loss gets, by line, over many runs with other flags."""
    seen = {}
    code = compile(text.replace("import torch.nn.functional as F", "pass"), "program", "exec")
    for bits in itertools.product([True, False], repeat=6):
        flags = itertools.cycle(bits)
        names = {"F": Functional(seen), "flags": flags, "scores": lambda: Value("other")}
        exec(code, names)
    return seen


@given(blocks(st.one_of(SIMPLE)), blocks(st.one_of(SIMPLE + CALLS)))
@settings(max_examples=300, deadline=None)
def test_nothing_is_reported_that_does_not_happen(tmp_path_factory, function, main):
    text = program(function, main)
    path = tmp_path_factory.mktemp("program") / "program.py"
    path.write_text(text)
    findings, skipped, _ = torch_heads.scan([str(path)])
    reported = {int(finding.where.rpartition(":")[2]) for finding in findings}
    seen = run(text)
    assert not skipped
    for line in reported & seen.keys():
        assert "softmax" in seen[line], text


@given(st.lists(st.one_of(SIMPLE[:7] + SIMPLE[8:] + CALLS[:2]), min_size=1, max_size=12))
@settings(max_examples=300, deadline=None)
def test_nothing_is_missed_where_there_is_no_choice(tmp_path_factory, main):
    text = program(["a = F.softmax(a, 1)"], main)
    text = text.replace("    if next(flags): return b\n", "")
    path = tmp_path_factory.mktemp("program") / "program.py"
    path.write_text(text)
    findings, _, _ = torch_heads.scan([str(path)])
    reported = {int(finding.where.rpartition(":")[2]) for finding in findings}
    assert reported == {line for line, ops in run(text).items() if "softmax" in ops}, text


# ---------------------------------------------------------------------------------------------
# Files, output, exit status

WRONG = "import torch.nn.functional as F\nloss = F.cross_entropy(F.softmax(z, 1), y)\n"


def test_lines_and_exit_status(tmp_path, capsys):
    (tmp_path / "a.py").write_text(WRONG)
    (tmp_path / "b.py").write_text(
        "import torch.nn as nn\nnn.NLLLoss()(nn.Softmax(1)(z).log(), y)\n"
    )
    assert torch_heads.main([str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == (
        f"{tmp_path}/a.py:2: softmax goes into CrossEntropyLoss, which expects logits and "
        "applies log-softmax itself (certain; softmax at line 2): return logits, and apply "
        "softmax only to predict\n"
    )
    assert err == "1 found, 2 files, 0 skipped\n"
    assert torch_heads.main([str(tmp_path / "b.py")]) == 0
    assert capsys.readouterr().out == ""
    assert torch_heads.main([str(tmp_path / "b.py"), "--notes"]) == 0
    assert "log(softmax) goes into NLLLoss" in capsys.readouterr().out
    with pytest.raises(SystemExit) as error:
        torch_heads.main([str(tmp_path / "missing")])
    assert error.value.code == 2 and "missing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("old.py", b"print 'x'\nF.cross_entropy(z, y)", "SyntaxError"),
        ("null.py", b"F.cross_entropy(\0)", "null bytes"),
        ("coding.py", b"# coding: none\nF.cross_entropy(z, y)", "unknown encoding"),
        ("deep.py", b"F.cross_entropy(" + b"-" * 50_000 + b"1)", "nested too deeply"),
        ("sum.py", b"F.cross_entropy(" + b"+".join([b"1"] * 20_000) + b")", "nested too deeply"),
        ("bad.ipynb", b"{cross_entropy", "JSONDecodeError"),
        ("v3.ipynb", b'{"worksheets": [], "x": "cross_entropy"}', "not a notebook"),
    ],
)
def test_what_cannot_be_read_is_named_and_skipped(tmp_path, capsys, name, content, reason):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "wrong.py").write_text(WRONG)
    assert torch_heads.main([str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1 and f"{name}: skipped: " in err and reason in err


def test_nothing_that_is_read_is_run(tmp_path):
    trace = tmp_path / "trace"
    effect = f"open({str(trace)!r}, 'w').write('run')\n"
    package = tmp_path / "package"
    package.mkdir()
    for name in ("__init__.py", "net.py", "sitecustomize.py", "conftest.py"):
        (package / name).write_text(effect + WRONG)
    (package / "main.py").write_text(
        effect + "from .net import *\nimport package.net, pickle\n"
        "net = pickle.load(open('model.pt', 'rb'))\nF.cross_entropy(net(x), y)\n"
    )
    (package / "model.pt").write_bytes(b"cos\nsystem\n(S'touch trace'\ntR.")
    before = set(sys.modules)
    assert len(torch_heads.scan([str(tmp_path)])[0]) == 4
    assert not trace.exists() and set(sys.modules) == before


def test_it_runs_as_a_file_and_without_torch():
    blocked = (
        "import runpy, sys; sys.modules['torch'] = None; "
        "runpy.run_path(sys.argv.pop(1), run_name='__main__')"
    )
    command = [
        sys.executable,
        "-c",
        blocked,
        torch_heads.__file__,
        str(CORPUS / "positive/partial.py"),
    ]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1 and "partial.py:12: softmax goes into" in result.stdout


def test_hidden_and_foreign_folders_are_left_out(tmp_path):
    for folder in (".venv", "site-packages", "node_modules", "__pycache__", "src"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text(WRONG)
    (tmp_path / "loop").symlink_to(tmp_path)
    findings, _, files = torch_heads.scan([str(tmp_path)])
    assert files == 1 and findings[0].where == f"{tmp_path}/src/a.py:2"


def test_a_large_tree_takes_seconds(tmp_path):
    """A tenth of the 10 000 files that it was measured with: see below for how it grows."""
    net = (CORPUS / "positive/two_files/model.py").read_text()
    train = (CORPUS / "positive/two_files/main.py").read_text()
    plain = "".join(f"def helper_{n}(x):\n    return [x, {n}, 'text'] * 2\n\n" for n in range(60))
    for number in range(50):
        folder = tmp_path / f"project_{number}"
        folder.mkdir()
        (folder / "model.py").write_text(net)
        (folder / "main.py").write_text(train)
        for name in range(18):
            (folder / f"module_{name}.py").write_text(plain)
    start = time.perf_counter()
    findings, skipped, files = torch_heads.scan([str(tmp_path)])
    assert (len(findings), len(skipped), files) == (50, 0, 1000)
    assert time.perf_counter() - start < 10
