"""What GitHub's workflows are told agrees with the repository.

The form of these files, and most of what makes a workflow unsafe, is what `make lint` checks.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from books import ROOT
from packaging.version import Version

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USES = re.compile(r"\s*(?:- )?uses: (\S+)@([0-9a-f]{40} # v\S+)")


def jobs(path: Path) -> dict[str, Any]:
    """The jobs of a workflow. Their strings stay strings: `on` would be a truth value."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)["jobs"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_commands_of_the_makefile_and_names_files_that_exist(path: Path):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for step in [step for job in jobs(path).values() for step in job["steps"]]:
        rule = step.get("run", "make site").removeprefix("make ") + ":"
        assert f"\n{rule}" in makefile, rule
        assert (ROOT / step.get("with", {}).get("cache-dependency-path", "")).exists(), step


def test_each_action_is_pinned_in_one_version_that_is_named():
    found: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        lines = path.read_text(encoding="utf-8").splitlines()
        for line in [line for line in lines if "uses:" in line]:
            match = USES.fullmatch(line)
            assert match, f"{path.name}: {line.strip()}"
            found.setdefault(match[1], set()).add(match[2])
    assert {action: pins for action, pins in found.items() if len(pins) != 1} == {}


def test_the_oldest_and_the_newest_python_are_the_same_everywhere():
    ci, deploy, weekly = (
        set(re.findall(r'"(3\.\d+)"', path.read_text(encoding="utf-8"))) for path in WORKFLOWS
    )
    oldest, newest = min(ci, key=Version), max(ci, key=Version)
    for name, words in {
        "README.md": f"Python {oldest} or newer",
        "constraints.txt": f"Python {oldest} to {newest} on",
        "pyproject.toml": f'"py{oldest.replace(".", "")}"',
        "scripts/install.mk": f"sys.version_info < ({oldest.replace('.', ', ')})",
    }.items():
        assert words in (ROOT / name).read_text(encoding="utf-8"), name
    colab = (ROOT / "requirements-colab.txt").read_text(encoding="utf-8")
    assert (deploy, weekly) == ({newest}, {newest, *re.findall(r"Python (3\.\d+)", colab)})


def test_the_weekly_issue_tells_of_every_job():
    *others, issue = jobs(ROOT / ".github" / "workflows" / "weekly.yml").items()
    names = {name for name, _ in others}
    told = re.findall(r"needs\.(\w+)\.result", issue[1]["steps"][-1]["env"]["BODY"])
    assert set(issue[1]["needs"]) == set(told) == names


@pytest.mark.skipif(os.name == "nt", reason="runs on GitHub's Linux only")
@pytest.mark.parametrize(
    ("listing", "told"),
    [
        ("echo 4", ["issue", "comment", "4", "--body"]),
        ("echo", ["issue", "create", "--title", "The weekly check fails", "--body"]),
        ("exit 1", []),  # no answer is not "no issue"
    ],
)
def test_there_is_one_weekly_issue(tmp_path: Path, listing: str, told: list[str]):
    (tmp_path / "gh").write_text(f'#!/bin/sh\n[ $2 = list ] && {listing} || printf "%s|" "$@"\n')
    (tmp_path / "gh").chmod(0o755)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "BODY": "$(id) `id` \"'\n"}
    done = subprocess.run(["make", "-s", "issue"], cwd=ROOT, env=env, capture_output=True)
    assert done.stdout.decode() == "".join(f"{each}|" for each in [*told, env["BODY"]] if told)
    assert (done.returncode == 0) == bool(told)
