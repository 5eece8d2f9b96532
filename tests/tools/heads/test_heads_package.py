"""The guard by itself: installed where nothing else is, and as a hook of pre-commit."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import torch
import yaml
from books import ROOT

from scripts import cells

PACKAGE = Path("content/tools/torch_heads")
WRONG = "import torch.nn.functional as F\nloss = F.cross_entropy(F.softmax(z, 1), y)\n"
PROGRAMS = "Scripts" if os.name == "nt" else "bin"
# What the shell or git has set is for the repository of the book.
ENV = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON"))}


def run(*command: object, **options) -> subprocess.CompletedProcess:
    """Run a program where nothing points to the book."""
    options = {"env": ENV, "capture_output": True, "text": True} | options
    return subprocess.run([str(each) for each in command], **options)


def done(*command: object, **options) -> str:
    """What a program prints that has to succeed."""
    ran = run(*command, **options)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The package, built without a network: uv has its builder in itself."""
    folder = tmp_path_factory.mktemp("wheel")
    done(sys.executable, "-m", "uv", "build", "--wheel", "--offline", "-o", folder, ROOT)
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_has_the_guard_and_nothing_else(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    package = {name for name in names if name.startswith("torch_heads/") and name[-1] != "/"}
    ours = (ROOT / PACKAGE).rglob("*.py")
    assert package == {
        f"torch_heads/{path.relative_to(ROOT / PACKAGE).as_posix()}" for path in ours
    }
    rest = {name for name in names if not name.startswith("torch_heads/")}
    info = f"torch_heads-{cells.release(ROOT)}.dist-info/"
    assert all(name.startswith(info) for name in rest)
    metadata = zipfile.ZipFile(wheel).read(f"{info}METADATA").decode()
    assert "Requires-Dist" not in metadata and "License-File: LICENSE" in metadata


def test_the_command_runs_in_an_empty_environment(wheel: Path, tmp_path: Path):
    environment, programs = tmp_path / "empty", tmp_path / "empty" / PROGRAMS
    uv = [sys.executable, "-m", "uv"]
    done(*uv, "venv", "--offline", "--no-project", "--python", sys.executable, environment)
    done(*uv, "pip", "install", "--offline", "--python", environment, wheel)
    (tmp_path / "a.py").write_text(WRONG)
    (tmp_path / "b.ipynb").write_text("{cross_entropy")
    ran = run(programs / "torch-heads", "a.py", cwd=tmp_path)
    assert ran.returncode == 1 and ran.stdout.startswith("a.py:2:8: double-softmax softmax goes")
    assert run(programs / "torch-heads", "b.ipynb", cwd=tmp_path).returncode == 2
    assert done(programs / "torch-heads", "--version") == f"torch-heads {cells.release(ROOT)}\n"
    assert "double-softmax" in done(programs / "torch-heads", "--explain", "double-softmax")
    assert run(programs / "python", "-m", "torch_heads", "a.py", cwd=tmp_path).stdout == ran.stdout
    program = "import torch_heads; torch_heads.HeadError; torch_heads.guard"
    assert "No module named 'torch'" in run(programs / "python", "-c", program).stderr


def test_the_installed_guard_works_with_torch(wheel: Path, monkeypatch: pytest.MonkeyPatch):
    """Imported out of the wheel, by the name that others import it by."""
    monkeypatch.syspath_prepend(wheel)
    guarded = importlib.import_module("torch_heads").guard(torch.nn.CrossEntropyLoss())
    scores, labels = torch.zeros(2, 3, requires_grad=True), torch.tensor([0, 1])
    with pytest.raises(ValueError, match="softmax goes into CrossEntropyLoss"):
        guarded(scores.softmax(1), labels)


def commit(folder: Path) -> str:
    """Make a repository of a folder; returns its commit."""
    somebody = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    done("git", "init", "--quiet", folder)
    done("git", "-C", folder, "add", "--all")
    done("git", "-C", folder, *somebody, "commit", "--quiet", "--no-verify", "--message", "All")
    return done("git", "-C", folder, "rev-parse", "HEAD").strip()


def test_pre_commit_runs_it_in_another_repository(tmp_path: Path):
    """It installs the package from a repository that has these files, and its builder from PyPI."""
    source, project = tmp_path / "source", tmp_path / "project"
    (source / PACKAGE).parent.mkdir(parents=True)
    for name in ("pyproject.toml", "LICENSE", ".pre-commit-hooks.yaml"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    for path in (ROOT / PACKAGE).rglob("*.py"):
        copy = source / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    project.mkdir()
    hook = {"repo": str(source), "rev": commit(source), "hooks": [{"id": "torch-heads"}]}
    (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [hook]}))
    (project / "model.py").write_text("def net(z): return z.softmax(1)\n")
    uses_it = "from model import net\n" + WRONG.replace("F.softmax(z, 1)", "net(z)")
    (project / "a.py").write_text(uses_it)
    (project / "b.md").write_text(f"```python\n{WRONG}```\n")
    commit(project)
    env = ENV | {"PRE_COMMIT_HOME": str(tmp_path / "cache")}
    ran = run(sys.executable, "-m", "pre_commit", "run", "--all-files", cwd=project, env=env)
    if "pip" in ran.stderr + ran.stdout and not os.environ.get("CI") and offline(tmp_path):
        pytest.skip("no network: pre-commit installs hooks with a builder from PyPI")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "a.py:3:8: double-softmax" in ran.stdout and "b.md:3:8: double-softmax" in ran.stdout
    (project / "a.py").write_text("import model\n")
    (project / "b.md").write_text("# No code\n")
    ran = run(sys.executable, "-m", "pre_commit", "run", "--all-files", cwd=project, env=env)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def offline(folder: Path) -> bool:
    """Whether pip cannot fetch the builder."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "uv_build"]
    return run(*command, "--dest", folder / "builder").returncode != 0
