"""Tell the maintainers that the weekly workflow failed: one issue, with a comment for each time.

    NEEDS='{"links": {"result": "failure"}}' RUN_URL=https://... python scripts/weekly_issue.py

NEEDS has the results of the workflow's jobs, RUN_URL the address of the run. `gh`, which GitHub's
machines have, does the talking.
"""

from __future__ import annotations

import json
import os
import subprocess

TITLE = "The weekly check fails"
HELP = {
    "newest": "The tests fail with the newest versions of all packages: `make newest`.",
    "colab": "The notebooks fail with the versions in `requirements-colab.txt`: `make colab`.",
    "links": "The site has dead links, which the log lists by page: `make links`.",
}


def text(results: dict[str, dict[str, str]], run: str) -> str:
    """What to say of the jobs that did not succeed."""
    failed = {name: job["result"] for name, job in results.items() if job["result"] != "success"}
    lines = [f"- **{name}** ({result}): {HELP[name]}" for name, result in failed.items()]
    return "\n".join([f"In [this run]({run}):", "", *lines])


def gh(*arguments: str) -> str:
    """What `gh` prints. Raises CalledProcessError when it fails."""
    done = subprocess.run(["gh", *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def main() -> None:
    """Comment on the open issue, or open it."""
    body = text(json.loads(os.environ["NEEDS"]), os.environ["RUN_URL"])
    listed = gh("issue", "list", "--state=open", "--limit=1000", "--json=number,title")
    numbers = [issue["number"] for issue in json.loads(listed) if issue["title"] == TITLE]
    if numbers:
        gh("issue", "comment", str(min(numbers)), f"--body={body}")
    else:
        gh("issue", "create", f"--title={TITLE}", f"--body={body}")


if __name__ == "__main__":
    main()
