"""What GitHub, Dependabot and pre-commit are told agrees with the repository.

The form of these files, and most of what makes a workflow unsafe, is what `make lint` checks.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import install
import pytest
import weekly_issue
import yaml
from books import ROOT
from packaging.requirements import Requirement
from packaging.version import Version
from sources import code, imports, notebooks, read_notebook

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
USES = re.compile(r"^\s*(?:- )?uses: (?P<action>\S+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v\S+)$")
# The packages whose names differ from what is imported.
NAMES = {"PIL": "pillow", "sklearn": "scikit-learn"}


def load(path: Path) -> dict[str, Any]:
    """A YAML file. Its strings stay strings: `on` would be a truth value."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def steps(path: Path) -> list[dict[str, Any]]:
    """The steps of all jobs of a workflow."""
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def pythons(path: Path) -> set[str]:
    """The versions of Python that a workflow asks for."""
    asked = {step.get("with", {}).get("python-version") for step in steps(path)} - {None}
    if "${{ matrix.python }}" in asked:
        asked.remove("${{ matrix.python }}")
        asked |= set(load(path)["jobs"]["test"]["strategy"]["matrix"]["python"])
    return asked


def versions(name: str) -> dict[str, str]:
    """The packages of a requirements file, with their specifiers."""
    found = [Requirement(line) for line in install.packages(name).values()]
    return {requirement.name: str(requirement.specifier) for requirement in found}


def test_there_are_three_workflows():
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "deploy.yml", "weekly.yml"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_only_commands_of_the_makefile(path: Path):
    commands = [step["run"] for step in steps(path) if "run" in step]
    assert commands
    for command in commands:
        match = re.fullmatch(r"make ([a-z]+)", command)
        assert match, command
        assert re.search(rf"^{match[1]}:", MAKEFILE, re.MULTILINE), command


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_gives_rights_to_jobs_only_and_no_job_can_write_code(path: Path):
    workflow = load(path)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"].get("contents", "read") == "read", name


def test_each_action_is_pinned_in_one_version_that_is_named():
    found: dict[str, set[tuple[str, str]]] = {}
    for path in WORKFLOWS:
        lines = path.read_text(encoding="utf-8").splitlines()
        for line in [line for line in lines if "uses:" in line]:
            match = USES.fullmatch(line)
            assert match, f"{path.name}: {line.strip()}"
            found.setdefault(match["action"], set()).add((match["commit"], match["version"]))
    assert {action: pins for action, pins in found.items() if len(pins) != 1} == {}


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_files_that_workflows_name_exist(path: Path):
    for step in steps(path):
        name = step.get("with", {}).get("cache-dependency-path")
        assert name is None or (ROOT / name).is_file(), name


def test_the_oldest_python_is_the_same_everywhere():
    oldest = min(pythons(ROOT / ".github" / "workflows" / "ci.yml"), key=Version)
    assert oldest == "{}.{}".format(*install.OLDEST_PYTHON)
    ruff = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'target-version = "py{oldest.replace(".", "")}"' in ruff
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert f"--python-version {oldest} " in constraints


def test_the_newest_python_is_the_same_everywhere():
    ci, deploy, weekly = (pythons(path) for path in WORKFLOWS)
    newest = max(ci, key=Version)
    assert deploy == {newest}
    assert max(weekly, key=Version) == newest
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert f" to {newest} on " in constraints


def test_colab_s_python_is_the_one_in_its_file():
    job = load(ROOT / ".github" / "workflows" / "weekly.yml")["jobs"]["colab"]
    (asked,) = {step.get("with", {}).get("python-version") for step in job["steps"]} - {None}
    text = (ROOT / "requirements-colab.txt").read_text(encoding="utf-8")
    assert re.findall(r"Python (\d+\.\d+)", text) == [asked]


def test_colab_has_what_the_notebooks_import_in_versions_that_the_book_allows():
    colab, ours = versions("requirements-colab.txt"), versions("requirements.txt")
    used: set[str] = set()
    for name in notebooks(ROOT):
        cells = read_notebook(ROOT / name)["cells"]
        text = "\n".join(code(cell) for cell in cells if cell["cell_type"] == "code")
        used |= imports(ast.parse(text))
    for path in (ROOT / "content").rglob("*.py"):
        used |= imports(ast.parse(path.read_bytes()))
    names = {name.partition(".")[0] for name in used}
    needed = {NAMES.get(name, name) for name in names} & ours.keys()
    assert {"torch", "matplotlib", "scikit-learn"} <= needed
    for name in needed:
        version = colab[name].removeprefix("==").replace("*", "0")
        assert Requirement(f"{name}{ours[name]}").specifier.contains(version), name


def test_the_weekly_issue_knows_every_job():
    jobs = load(ROOT / ".github" / "workflows" / "weekly.yml")["jobs"]
    assert set(jobs["issue"]["needs"]) == jobs.keys() - {"issue"} == weekly_issue.HELP.keys()


def test_dependabot_updates_every_kind_of_package():
    updates = load(ROOT / ".github" / "dependabot.yml")["updates"]
    kinds = {update["package-ecosystem"]: update for update in updates}
    files = {"pip": "requirements.txt", "npm": "package.json", "github-actions": ".github"}
    assert kinds.keys() == files.keys()
    for kind, update in kinds.items():
        assert (ROOT / update["directory"].strip("/") / files[kind]).exists(), kind
        assert update["schedule"]["interval"] == "monthly"
        assert update["groups"]


def test_pre_commit_runs_what_lint_runs():
    (repository,) = load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"] for hook in repository["hooks"]] == ["make lint"]
