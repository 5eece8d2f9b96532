"""What `make` installs, when, and what it says where something is missing."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import install
import pytest


@pytest.fixture
def root(tmp_path: Path, monkeypatch) -> Path:
    """An empty project."""
    monkeypatch.setattr(install, "ROOT", str(tmp_path))
    return tmp_path


def program(folder: Path, name: str, output: str) -> None:
    """Write a program that prints something."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {output}\n")
    path.chmod(0o755)


def test_any_python_can_say_that_it_is_too_old():
    ast.parse(Path(install.__file__).read_text(), feature_version=(3, 6))


def test_an_old_python_is_told(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer, and .* is 3\.9\."):
        install.check_python()


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told(monkeypatch, module: str):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(SystemExit, match=f"no {module} module.*apt install python3-venv"):
        install.check_python()


@pytest.mark.parametrize("programs", [[], ["node"], ["npm"]])
def test_missing_node_is_told(tmp_path: Path, monkeypatch, programs: list[str]):
    for name in programs:
        program(tmp_path, name, "v24.1.0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"not on PATH\. Install Node\.js 20 or newer"):
        install.check_node()


@pytest.mark.parametrize(("version", "fits"), [("v18.20.4", False), ("v20.0.0", True)])
def test_an_old_node_is_told(tmp_path: Path, monkeypatch, version: str, fits: bool):
    for name in ("node", "npm"):
        program(tmp_path, name, version)
    monkeypatch.setenv("PATH", str(tmp_path))
    if fits:
        install.check_node()
    else:
        with pytest.raises(SystemExit, match=r"cannot use Node\.js v18\.20\.4\. Install"):
            install.check_node()


def test_a_step_is_done_once_for_each_version_of_its_files(root: Path):
    (root / "requirements.txt").write_text("a")

    def done() -> int:
        code = "with open('count', 'a') as file: file.write('x')"
        install.step("stamp", install.key("requirements.txt"), "", [sys.executable, "-c", code])
        return len((root / "count").read_text())

    assert [done(), done()] == [1, 1]
    (root / "requirements.txt").write_text("b")
    assert [done(), done()] == [2, 2]


def test_a_step_that_fails_is_done_again(root: Path):
    failing = [sys.executable, "-c", "raise SystemExit(7)"]
    (root / "stamp").write_text("of an earlier version")
    with pytest.raises(SystemExit, match="exit status 7"):
        install.step("stamp", "wanted", "", failing)
    assert not (root / "stamp").exists()


def test_a_broken_environment_is_noticed(tmp_path: Path):
    assert install.works(sys.executable)
    assert not install.works(str(tmp_path / "no-python"))
    program(tmp_path, "python", "'(3, 7)'")
    assert not install.works(str(tmp_path / "python"))
    (tmp_path / "dangling").symlink_to("/nowhere/python")
    assert not install.works(str(tmp_path / "dangling"))


@pytest.fixture
def commands(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What is run, in a project whose environments are always there."""
    found: list[list[str]] = []
    monkeypatch.setattr(install, "run", found.append)
    monkeypatch.setattr(install, "works", lambda python: True)
    monkeypatch.delenv("UV_TORCH_BACKEND", raising=False)
    (root / ".venv").mkdir()
    (root / "requirements.txt").write_text("torch>=2.6  # a comment\n# no-package\njinja2>=3.1\n")
    (root / "requirements-dev.txt").write_text("-r requirements.txt\npytest==9.1\n")
    (root / "constraints.txt").write_text("torch==2.7\n")
    return found


def test_packages_are_read_without_comments_and_options(commands):
    found = install.packages(*install.REQUIREMENTS)
    assert found == {"torch": "torch>=2.6", "jinja2": "jinja2>=3.1", "pytest": "pytest==9.1"}


def test_pip_installs_everything_in_pinned_versions(commands):
    install.install_pinned(install.REQUIREMENTS)
    (command,) = commands
    assert command[1:4] == ["-m", "pip", "install"]
    assert command[-4:] == ["-r", "requirements-dev.txt", "-c", "constraints.txt"]


def test_uv_installs_torch_first_where_a_build_is_asked_for(commands, monkeypatch):
    monkeypatch.setenv("UV_TORCH_BACKEND", "cpu")
    install.install_pinned(install.REQUIREMENTS)
    uv, torch, rest = commands
    assert uv[-3:] == ["uv", "-c", "constraints.txt"]
    assert torch[1:5] == ["-m", "uv", "pip", "install"]
    assert torch[-3:] == ["torch>=2.6", "-c", "constraints.txt"]
    assert "-r" in rest
    install.install_pinned(install.REQUIREMENTS)
    assert len(commands) == 3  # everything is done


def test_the_newest_versions_are_those_of_no_file(commands, monkeypatch):
    install.install_newest()
    (command,) = commands
    assert command[-3:] == ["jinja2", "pytest", "torch"]
    assert "constraints.txt" not in command


def test_a_file_of_versions_is_installed_when_it_has_changed(commands, root: Path):
    (root / "_build" / "colab").mkdir(parents=True)
    (root / "versions.txt").write_text("torch==2.11.0\n")
    install.install_colab("versions.txt")
    install.install_colab("versions.txt")
    (command,) = commands
    assert command[-2:] == ["-r", "versions.txt"]
    (root / "versions.txt").write_text("torch==2.12.0\n")
    install.install_colab("versions.txt")
    assert len(commands) == 2
