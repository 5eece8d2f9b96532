"""The command: a corpus, its limits, and programs that are run to see what is true."""

import itertools
import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.torch_heads import rules
from tools.torch_heads import scan as checker
from tools.torch_heads.scan import command, scan
from tools.torch_heads.scan.reader import Reader

CONTENT = Path(checker.__file__).parents[3]
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
    findings = scan([str(item)]).findings
    errors = {line_of(finding) for finding in findings if finding.severity == "error"}
    return errors, {line_of(finding) for finding in findings} - errors


def line_of(finding):
    """The place of a finding, without the column."""
    return str(finding.where).rpartition(":")[0]


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
    sentence = (
        f"{len(POSITIVE)} small programs with {len(wanted)} mistakes, {len(NEGATIVE)} without one, "
        f"and {len(unseen)} mistakes of the kinds above that it cannot see"
    )
    assert sentence in (CONTENT / "mlp" / "guard.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("item", UNSEEN, ids=lambda path: path.name)
def test_what_it_cannot_see_is_documented(item):
    assert marked(item, "unseen")
    assert found(item) == (set(), set()), "it is seen now: move it to positive/"
    assert f"({item.name})" in checker.__doc__


def test_each_documented_limit_has_an_example():
    assert set(re.findall(r"\((\w+\.py)\)", checker.__doc__)) == {p.name for p in UNSEEN}


def test_confidence():
    """Certain, but for what was loaded, or passes through code that nobody knows."""
    unsure = {
        item.name
        for item in POSITIVE
        for finding in scan([str(item)]).findings
        if finding.confidence != "certain"
    }
    assert unsure == {"resume_branch.py", "unknown_base.py"}


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
    result = scan([str(path)])
    reported = {finding.where.line for finding in result.findings}
    seen = run(text)
    assert not result.failed
    for line in reported & seen.keys():
        assert "softmax" in seen[line], text


@given(st.lists(st.one_of(SIMPLE[:7] + SIMPLE[8:] + CALLS[:2]), min_size=1, max_size=12))
@settings(max_examples=300, deadline=None)
def test_nothing_is_missed_where_there_is_no_choice(tmp_path_factory, main):
    text = program(["a = F.softmax(a, 1)"], main)
    text = text.replace("    if next(flags): return b\n", "")
    path = tmp_path_factory.mktemp("program") / "program.py"
    path.write_text(text)
    reported = {finding.where.line for finding in scan([str(path)]).findings}
    assert reported == {line for line, ops in run(text).items() if "softmax" in ops}, text


# ---------------------------------------------------------------------------------------------
# Files, output, exit status

WRONG = "import torch.nn.functional as F\nloss = F.cross_entropy(F.softmax(z, 1), y)\n"


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
    assert command.main([str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out.count("double-softmax") == 1
    assert f"{name}: could not be read: " in err and reason in err
    (tmp_path / "wrong.py").unlink()
    assert command.main([str(tmp_path)]) == 2


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
    assert len(scan([str(tmp_path)]).findings) == 4
    assert not trace.exists() and set(sys.modules) == before


def test_hidden_and_foreign_folders_are_left_out(tmp_path):
    for folder in (".venv", "site-packages", "node_modules", "__pycache__", "src"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text(WRONG)
    (tmp_path / "loop").symlink_to(tmp_path)
    result = scan([str(tmp_path)])
    assert result.files == 1 and line_of(result.findings[0]) == f"{tmp_path}/src/a.py:2"


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
    result = scan([str(tmp_path)])
    assert (len(result.findings), len(result.failed), result.files) == (50, 0, 1000)
    assert time.perf_counter() - start < 10


# ---------------------------------------------------------------------------------------------
# The command


def run_command(*arguments, **options):
    """What `torch-heads` prints and gives, run where torch cannot be imported."""
    program = "import sys; sys.modules['torch'] = None; from tools.torch_heads.scan.command import "
    program += "main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(CONTENT), "PATH": ""},
        **options,
    )


def test_lines_and_exit_status(tmp_path):
    (tmp_path / "a.py").write_text(WRONG)
    (tmp_path / "b.py").write_text("loss = nn.NLLLoss()(z.softmax(1).log(), y)\n")
    ran = run_command(".", cwd=tmp_path)
    assert ran.returncode == 1
    assert ran.stdout == (
        "a.py:2:8: double-softmax softmax goes into CrossEntropyLoss, which expects logits and "
        "applies log-softmax itself: return logits, and apply softmax only to predict\n"
        "  a.py:2:24: softmax stands here\n"
    )
    assert ran.stderr == "1 found in 2 files.\n"
    assert run_command("b.py", cwd=tmp_path).returncode == 0
    assert (
        "log(softmax) goes into NLLLoss" in run_command("b.py", "--select=ALL", cwd=tmp_path).stdout
    )
    assert run_command("--exit-zero", cwd=tmp_path).returncode == 0
    missing = run_command("missing", cwd=tmp_path)
    assert missing.returncode == 2 and "missing" in missing.stderr


def main(capsys, *arguments):
    """(exit status, output) of the command, run here."""
    try:
        status = command.main([str(each) for each in arguments])
    except SystemExit as end:
        status = end.code
    return status, capsys.readouterr().out


def test_formats(tmp_path, capsys):
    (tmp_path / "a.py").write_text(WRONG)
    (made,) = json.loads(main(capsys, tmp_path, "--format=json")[1])
    assert (made["code"], made["confidence"]) == ("double-softmax", "certain")
    assert made["location"] == {"row": 2, "column": 8} and made["cell"] is None
    assert made["activation"]["location"] == {"row": 2, "column": 24}
    assert main(capsys, tmp_path, "--output-format", "github")[1].startswith(
        f"::error title=torch-heads (double-softmax),file={tmp_path}/a.py,line=2,col=8::softmax"
    )
    (ran,) = json.loads(main(capsys, tmp_path, "--format=sarif")[1])["runs"]
    (result,) = ran["results"]
    assert result["ruleId"] == ran["tool"]["driver"]["rules"][0]["id"] == "double-softmax"
    assert len(result["locations"]) == len(result["relatedLocations"]) == 1
    assert "\033[" in main(capsys, tmp_path, "--color=always")[1]
    assert "\033[" not in main(capsys, tmp_path)[1]


def test_perhaps_counts_with_strict_only(tmp_path, capsys):
    program = (CORPUS / "positive/resume_branch.py").read_text()
    (tmp_path / "a.py").write_text(program)
    status, text = main(capsys, tmp_path)
    assert status == 0 and "double-softmax perhaps softmax goes" in text
    assert main(capsys, tmp_path, "--strict")[0] == 1


def test_what_is_to_be_ignored(tmp_path, capsys):
    wrong = WRONG.replace("\n", "\nnet = nn.Softmax(1)\n", 1).replace("F.softmax(z, 1)", "net(z)")
    for mark in ("# torch-heads: ignore", "# torch-heads: ignore[double-softmax]"):
        for line in (1, 2):
            lines = wrong.split("\n")
            lines[line] += f"  {mark}"
            (tmp_path / "a.py").write_text("\n".join(lines))
            assert main(capsys, tmp_path) == (0, ""), (mark, line)
    (tmp_path / "a.py").write_text(wrong.replace("y)", "y)  # torch-heads: ignore[bce-scores]"))
    status, text = main(capsys, tmp_path)
    assert status == 1 and "double-softmax" in text
    assert "a.py:3:1: unused-ignore nothing to ignore here bce-scores" in text
    (tmp_path / "a.py").write_text("x = '# torch-heads: ignore'  # a string\n")
    assert main(capsys, tmp_path) == (0, "")


def test_selection_exclusion_and_configuration(tmp_path, capsys):
    (tmp_path / "src").mkdir()
    (tmp_path / "old").mkdir()
    (tmp_path / "src/a.py").write_text(WRONG)
    (tmp_path / "old/b.py").write_text(WRONG.replace("cross_entropy", "nll_loss"))
    assert main(capsys, tmp_path)[1].count("stands here") == 2
    assert main(capsys, tmp_path, "--select", "nll-probabilities")[1].count("stands here") == 1
    assert "old" not in main(capsys, tmp_path, "--exclude=old")[1]
    assert main(capsys, tmp_path, "--exclude=old,src/*.py") == (0, "")
    (tmp_path / "pyproject.toml").write_text('[tool.torch-heads]\nexclude = ["old"]\n')
    assert "old" not in main(capsys, tmp_path)[1]
    (tmp_path / "pyproject.toml").write_text('[tool.torch-heads]\nexclud = ["old"]\n')
    assert main(capsys, tmp_path)[0] == 2
    assert main(capsys, tmp_path, "--select=double")[0] == 2


def test_gitignore(tmp_path, capsys):
    (tmp_path / ".git").mkdir()
    for name in ("a/gen/x.py", "a/kept.py", "b/gen.py", "b/log/y.py", "b/log/z.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(WRONG)
    (tmp_path / ".gitignore").write_text("gen/\n# no\n/b/log/*\n!z.py\n")
    text = main(capsys, tmp_path)[1]
    assert re.findall(r"^\S+/(\w+)\.py:\S+ double", text, re.M) == ["kept", "gen", "z"]
    (tmp_path / "b/.gitignore").write_text("*.py\n")
    assert "b/" not in main(capsys, tmp_path / "b")[1]
    assert main(capsys, tmp_path, "--no-respect-gitignore")[1].count("stands here") == 5


def test_single_files_see_the_imports_around_them(capsys):
    folder = CORPUS / "positive/main_elsewhere"
    assert "loop.py:6:9: double-softmax" in main(capsys, folder / "main.py")[1]
    folder = CORPUS / "positive/two_files"
    assert main(capsys, folder / "main.py")[0] == 1


def test_markdown_cells(tmp_path, capsys):
    page = "# Page\n\n```python\n" + WRONG + "```\n\n```{code-cell} python\n:tags: [x]\n" + WRONG
    (tmp_path / "a.md").write_text(page + "```\n\n```bash\nls F.cross_entropy\n```\n")
    text = main(capsys, tmp_path)[1]
    assert re.findall(r"a\.md:(\d+):8: double", text) == ["5", "11"]


@pytest.mark.parametrize("code", rules.all_codes())
def test_each_code_is_explained(code, capsys):
    status, text = main(capsys, "--explain", code)
    assert status == 0 and text.startswith(code) and len(text) > 60
    assert main(capsys, "--explain", "E501")[0] == 2


PARTS = 8 if os.environ.get("FUZZ") == "all" else 1


@pytest.mark.parametrize("part", range(PARTS))
def test_no_file_of_the_library_breaks_it(part):
    """A sample of what is installed; GitHub's weekly run takes all of it, in parts (FUZZ=all)."""
    library = Path(json.__file__).parents[1]
    found = sorted(path for path in library.rglob("*.py") if "site-packages" not in path.parts)
    found += sorted(Path(pytest.__file__).parents[1].rglob("*.py"))
    paths = found[part::PARTS] if PARTS > 1 else random.Random(19).sample(found, 20)
    reader = Reader({str(path): str(path) for path in paths})
    for path in paths:
        if path.is_file():
            reader.entry(str(path))
        if len(reader.modules) > 300:
            reader.forget()
    ours = re.compile("SyntaxError|UnicodeDecodeError|null bytes|nested too deeply|FileNotFound")
    assert not {name: why for name, why in reader.failed.items() if not ours.search(why)}
