"""What `make` installs and when, and what it says where it cannot.

In a copy of the Makefile, with a Python whose environments have a pip that only notes what it
is asked for.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from books import ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the pretended programs are shell scripts")

FILES = ("Makefile", "scripts/install.mk", "scripts/alone.py", "constraints.txt")
TOOLS = "awk cat cp env find grep id kill make mkdir mv rm sed sh sleep touch".split()
PYTHON = """#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
  for folder; do :; done
  rm -rf "$folder"/* && mkdir -p "$folder/bin" && cp "$PRETENDED_PIP" "$folder/bin/python"
  echo "$folder" >> "$LOG"
else
  exec {} "$@"
fi
"""
PIP = """#!/bin/sh
env | grep -E '^(PIP_|PYTHON.)' | grep -Ev '^PYTHON(=|DONTWRITE|UTF8)' >> "$LOG"
echo "$@" >> "$LOG"
sleep 0.2
case "$DO" in fail) exit 1;; die) kill -9 "$PPID" $$;; esac
"""


class Project:
    """A project to install."""

    def __init__(self, root: Path):
        self.root, self.programs = root, root.parent / "programs"
        for name in (*FILES, "requirements.txt", "requirements-dev.txt", "theme/package.json"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        self.program("python3", PYTHON.format(sys.executable))
        self.program("pip", PIP)
        self.program("node", "#!/bin/sh\nexit ${OLD:-0}\n")
        for name in TOOLS:
            (self.programs / name).symlink_to(shutil.which(name))
        self.program("npm", "#!/bin/sh\nmkdir -p theme/node_modules\necho npm >> $LOG\n")

    def program(self, name: str, text: str) -> None:
        """Put a program on PATH."""
        self.programs.mkdir(exist_ok=True)
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen:
        """Start make."""
        env = {
            "PATH": str(self.programs),
            "PRETENDED_PIP": str(self.programs / "pip"),
            "LOG": str(self.root / "log"),
        }
        command = ["make", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=self.root, env=env | variables, stdout=pipe, stderr=pipe, text=True
        )

    def make(self, *arguments: str, **variables: str) -> list[str]:
        """What has been done by make, a line each, npm last; what it says where it fails."""
        (self.root / "log").write_text("")
        with self.start(*arguments, **variables) as made:
            out, errors = made.communicate(timeout=60)
        self.status = made.returncode
        done = sorted((self.root / "log").read_text().splitlines(), key="npm".__eq__)
        return done if not self.status else [out + errors]


READER = "-r requirements.txt -c constraints.txt"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project in a folder whose name no recipe may take for a part of a command."""
    return Project(tmp_path / 'it\'s "so" $HOME')


def test_everything_is_installed_once(project: Project):
    environment, pip, compiled, npm = project.make("reader")
    assert environment == ".venv" and npm == "npm"
    assert pip.startswith("-m pip install") and pip.endswith(READER)
    assert "--no-compile" in pip and compiled.startswith("-m compileall")
    assert project.make("reader") == []
    dev, _ = project.make("dev")
    assert "-r requirements-dev.txt -c constraints.txt" in dev
    assert project.make("reader") == project.make("dev") == []
    os.utime(project.root / "constraints.txt")
    assert len(project.make("reader")) == 2


def test_a_moved_project_is_installed_anew(project: Project):
    project.make("reader")
    project.root = project.root.rename(project.root.parent / "elsewhere")
    assert [line.split()[0] for line in project.make("reader")] == [".venv", "-m", "-m"]
    assert project.make("reader") == []


def test_a_link_to_the_environment_of_another_folder_is_all_that_goes(project: Project):
    other = project.root.parent / "other"
    other.mkdir()
    (other / "made").touch()
    (project.root / ".venv").symlink_to(other)
    assert project.make("reader")[0] == ".venv"
    assert [path.name for path in other.iterdir()] == ["made"]


def test_what_was_killed_begins_anew_and_what_failed_goes_on(project: Project):
    project.make("reader", DO="die")
    assert project.status != 0
    assert project.make("reader")[0] == ".venv"
    os.utime(project.root / "constraints.txt")
    project.make("reader", DO="fail")
    assert project.status != 0
    assert [line.split()[0] for line in project.make("reader")] == ["-m", "-m"]


def test_two_installations_at_once_are_one(project: Project):
    (project.root / "log").write_text("")
    both = [project.start("reader"), project.start("reader")]
    assert [each.communicate(timeout=60) and each.returncode for each in both] == [0, 0]
    assert len((project.root / "log").read_text().splitlines()) == 4


def test_a_stopped_installation_leaves_nothing_running(project: Project):
    project.program("pip", PIP.replace("sleep 0.2", "sleep 300"))
    made = project.start("reader")
    while not (project.root / ".venv" / "making").exists():
        assert made.poll() is None
    made.send_signal(signal.SIGTERM)
    made.communicate(timeout=30)
    project.program("pip", PIP)
    assert project.make("reader")[0] == ".venv"


def test_the_shell_s_settings_for_python_are_left_out(project: Project):
    hostile = {"PIP_USER": "1", "PIP_TARGET": "/t", "PIP_PREFIX": "/p", "PIP_NO_DEPS": "1"}
    hostile |= {"PYTHONPATH": "/x", "PYTHONOPTIMIZE": "1", "PYTHONHOME": ""}
    lines = project.make("reader", PIP_INDEX_URL="https://example.org", **hostile)
    settings = [line for line in lines if line.startswith(("PIP_", "PYTHON"))]
    assert set(settings) == {"PIP_INDEX_URL=https://example.org"}
    assert any("--no-user" in line for line in lines)


def test_uv_installs_the_build_of_torch_that_is_asked_for(project: Project):
    _, uv, torch, pip, _, _ = project.make("reader", UV_TORCH_BACKEND="cpu")
    assert uv.endswith("uv -c constraints.txt")
    assert "uv pip install" in torch and torch.endswith("torch -c constraints.txt")
    assert pip.endswith(READER)


def test_other_environments_have_other_versions(project: Project):
    install = ["-f", "scripts/install.mk", "PYTHON=python3"]
    pip = project.make(*install, "newest", "ENV=_build/newest")[1].split()
    assert {"torch", "pytest", "jinja2"} < set(pip) and "constraints.txt" not in pip
    (project.root / "versions.txt").write_text("torch==2.6\n")
    colab = ["colab", "ENV=_build/colab", "COLAB=versions.txt"]
    assert project.make(*install, *colab)[1].endswith("-r versions.txt")
    assert project.make(*install, *colab) == []


OLD = "import sys; sys.version_info = (3, 9, 2); exec(sys.argv.pop(1))"


def test_what_is_missing_is_one_sentence(project: Project):
    (said,) = project.make("reader", OLD="1")
    assert "MyST, needs Node.js 20 or newer" in said and "Traceback" not in said
    (project.programs / "npm").rename(project.programs / "npm.away")
    (said,) = project.make("reader")
    assert "with npm, on PATH: https://nodejs.org" in said
    old = f'#!/bin/sh\nshift\nexec {sys.executable} -c "{OLD}" "$@"\n'
    project.program("old", f'#!/bin/sh\n[ "$1" = -c ] || exec {sys.executable} "$@"\n' + old[10:])
    (said,) = project.make("reader", "PYTHON=old")
    assert "needs Python 3.11 or newer" in said and "is 3.9" in said and "Traceback" not in said
