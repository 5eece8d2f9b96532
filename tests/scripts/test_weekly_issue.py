"""The weekly workflow's issue: what it says, and that there is only one."""

from __future__ import annotations

import json

import pytest
import weekly_issue

RUN = "https://example.org/runs/7"


@pytest.fixture(autouse=True)
def failing_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """A week in which one job failed."""
    needs = {name: {"result": "success"} for name in weekly_issue.HELP}
    monkeypatch.setenv("NEEDS", json.dumps(needs | {"links": {"result": "failure"}}))
    monkeypatch.setenv("RUN_URL", RUN)


def told(monkeypatch: pytest.MonkeyPatch, issues: dict[int, str]) -> list[str]:
    """What `gh` is told, other than to list the open issues; the last part is the text."""
    calls: list[tuple[str, ...]] = []

    def gh(*arguments: str) -> str:
        calls.append(arguments)
        return json.dumps([{"number": n, "title": title} for n, title in issues.items()])

    monkeypatch.setattr(weekly_issue, "gh", gh)
    weekly_issue.main()
    listing, *others = calls
    assert listing[:3] == ("issue", "list", "--state=open")
    (call,) = others
    return list(call)


def test_the_first_failure_opens_an_issue(monkeypatch: pytest.MonkeyPatch):
    *command, body = told(monkeypatch, {3: "A typo"})
    assert command == ["issue", "create", f"--title={weekly_issue.TITLE}"]
    assert RUN in body
    assert "**links** (failure)" in body and "make links" in body
    assert "newest" not in body and "colab" not in body


def test_the_next_failure_is_a_comment(monkeypatch: pytest.MonkeyPatch):
    *command, body = told(monkeypatch, {9: weekly_issue.TITLE, 4: weekly_issue.TITLE, 2: "A typo"})
    assert command == ["issue", "comment", "4"]
    assert RUN in body


def test_a_failing_gh_is_not_taken_for_an_answer(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError):
        weekly_issue.gh("issue", "list")
