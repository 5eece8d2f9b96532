"""The book in JupyterLab, as `make lab` opens it: a notebook is run there and looked at."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import books
import pytest
from browser.test_play import DATA, PLAY, state, wait_for
from playwright.sync_api import Locator, Page, expect

from scripts.sources import CONTENT, ROOT, Book, source, tags

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("lab")]  # one server

BOOK = Book.read(ROOT)
NAME = "first-network.ipynb"  # with many formulas, drawings and figures that answer
START, RUN = 60, 300  # seconds that the server, and that all cells of a notebook, may take

TABLE = """from tools import figures
figures.table(["a column"], [["a **bold** number"]], "A caption.")"""
FOLDED = {"setup", "solution", "hide-input"}
# Markdown and MyST that has been left as it was written. Formulas and code are not looked at.
RAW = re.compile(
    r"\$|\*\*|\]\(|!\[|`|:::|\{\{|\}\}|^#+ |^\|.*\||\+\+\+|\\(?:frac|partial|begin|text)\b",
    re.MULTILINE,
)
# Everything that a reader sees of a notebook, cell by cell.
SURVEY = """panel => [...panel.querySelectorAll('.jp-Cell')].map(cell => {
  const all = (where, selector) => [...where.querySelectorAll(selector)]
  const texts = selector => all(cell, selector).map(node => node.textContent)
  const prose = all(cell, '.jp-RenderedMarkdown, .myst, .jp-MarkdownOutput').map(node => {
    const copy = node.cloneNode(true)
    all(copy, 'code, pre, .katex, script, style').forEach(part => part.remove())
    return copy.textContent
  })
  const editor = cell.querySelector('.jp-InputArea-editor')
  const output = cell.querySelector('.jp-OutputArea')
  const images = where => where ? all(where, 'img').map(image => ({
    alt: image.alt,
    seen: image.complete && image.naturalWidth > 0 && image.clientWidth > 200,
  })) : []
  return {
    prompt: texts('.jp-InputArea-prompt').join(''),
    fold: cell.querySelector('.jp-InputPlaceholder')?.textContent ?? null,
    rendered: prose.join('') !== '' && (!editor || getComputedStyle(editor).display === 'none'),
    prose: prose.join('\\n'),
    formulas: all(cell, '.katex').length,
    tables: all(cell, 'table').length,
    complaints: texts(
      '[data-mime-type$="jupyter.error"], [data-mime-type$="jupyter.stderr"], .katex-error'
    ),
    figures: images(output),
    drawings: output ? [] : images(cell),
  }
})"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[str]:
    """The address of what `make lab` starts, on a copy of the book and with settings of its own."""
    folder = tmp_path_factory.mktemp("lab")
    ignore = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    shutil.copytree(ROOT / CONTENT, folder / CONTENT, ignore=ignore)
    texts = {"data": DATA, "network": PLAY, "table": TABLE}
    cells = [books.cell("code", text, name) for name, text in texts.items()]
    (folder / CONTENT / "figure.ipynb").write_text(json.dumps(books.notebook(*cells)))
    env = os.environ | {
        f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA")
    }
    env["PYTHONPATH"] = str(ROOT)  # where `make` runs it
    log = folder / "lab.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command("lab"), "--ServerApp.ip=localhost", "--ServerApp.port=0", "--no-browser"],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield address(server.pid, log)
    finally:
        server.terminate()  # it ends the kernels
        server.wait(timeout=60)


def command(target: str) -> list[str]:
    """What `make` runs for a target, without the installation."""
    make = ["make", "--no-print-directory", "-n", target]
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True)
    words = shlex.split(done.stdout.rpartition("/python ")[2].replace("\\\n", " "))
    return [sys.executable, *words]


def address(pid: int, log: Path) -> str:
    """Where the server is, once it says so, with its token."""
    file = ROOT / "_build" / "state" / "jupyter" / "runtime" / f"jpserver-{pid}.json"
    limit = time.monotonic() + START
    while time.monotonic() < limit:
        try:
            known = json.loads(file.read_text())
            return f"{known['url']}?token={known['token']}"
        except (FileNotFoundError, json.JSONDecodeError):
            time.sleep(0.1)  # it is about to be written
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def page(browser, lab) -> Iterator[Page]:
    """A window at the address that `make lab` opens."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.elsewhere = []
    page.on("request", lambda request: page.elsewhere.append(request.url))
    page.goto(lab)
    yield page
    context.close()


def landing_page(page: Page) -> Locator:
    """The first tab: the book's landing page, rendered."""
    text = page.locator(".jp-MarkdownViewer").first
    expect(text.get_by_role("heading", level=1)).to_be_attached(timeout=START * 1000)
    return text


def test_it_opens_with_the_landing_page(page):
    text = landing_page(page)
    expect(text.get_by_role("heading", level=1)).to_be_visible()
    assert not RAW.search(text.inner_text())
    expect(text.locator(f"a[href*='/{NAME}']").first).to_be_visible()
    expect(page.locator(".jp-Dialog, .Toastify__toast")).to_have_count(0)


@pytest.fixture(scope="module")
def panel(page) -> Locator:
    """The notebook, opened from the landing page and run: Run > Run All Cells."""
    page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab").first.click()
    landing_page(page).locator(f"a[href*='/{NAME}']").first.click()
    tab = page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab.lm-mod-current")
    expect(tab).to_contain_text(NAME)
    shown = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    panel = page.locator(f"[id='{shown.get_attribute('id')}']")
    # It says "idle" also before there is a kernel.
    expect(panel.locator(".jp-KernelName")).to_contain_text("Python 3", timeout=START * 1000)
    indicator = panel.locator(".jp-Notebook-ExecutionIndicator")
    expect(indicator).to_have_attribute("data-status", "idle", timeout=START * 1000)
    run_all(page)
    ended = re.compile(r"Executed \d+ cells")
    expect(indicator).to_contain_text(ended, timeout=RUN * 1000)
    return panel


def run_all(page: Page) -> None:
    """Run all cells; once more if nothing begins, as may be while a kernel connects."""
    begun = page.locator(".jp-InputArea-prompt", has_text=re.compile(r"\[(\*|1)\]")).first
    for seconds in (10, START):
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with contextlib.suppress(AssertionError):
            return expect(begun).to_be_attached(timeout=seconds * 1000)
    pytest.fail("No cell has begun to run.")


def test_a_notebook_runs_and_is_seen_whole(page, panel):
    cells = BOOK.notebooks[f"{CONTENT}/mlp/{NAME}"]["cells"]
    # JupyterLab adds the cells that are not in view when it has nothing else to do.
    expect(panel.locator(".jp-Cell")).to_have_count(len(cells), timeout=START * 1000)
    page.wait_for_function("[...document.images].every(image => image.complete)")
    seen = panel.evaluate(SURVEY)
    assert sum(cell["formulas"] + cell["tables"] + len(cell["drawings"]) for cell in seen) > 0
    problems = []
    number = 0
    for cell, view in zip(cells, seen, strict=True):
        number += cell["cell_type"] == "code"
        problems += [f"{cell['id']}: {each}" for each in differences(cell, view, number)]
    assert problems == []


def differences(cell: dict, view: dict, number: int) -> Iterator[str]:
    """What a reader should see of a cell and does not. `number` counts the code cells."""
    yield from view["complaints"]
    if raw := RAW.search(view["prose"]):
        yield f"shown as it was written: {view['prose'][raw.start() - 30 : raw.end() + 30]!r}"
    text = source(cell)
    if cell["cell_type"] == "markdown":
        if not view["rendered"]:
            yield "not rendered"
        if [image["seen"] for image in view["drawings"]] != [True] * text.count("!["):
            yield f"drawings: {view['drawings']}"
        return
    title = text.split("\n")[0] if FOLDED & set(tags(cell)) else None
    if view["fold"] != title:
        yield f"folded behind {view['fold']!r} instead of {title!r}"
    if title is None and view["prompt"] != f"[{number}]:":
        yield f"has the prompt {view['prompt']!r} instead of [{number}]:"
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    wanted = sum(ast.unparse(call.func) == "figures.show" for call in calls)
    if [image["seen"] and image["alt"][-1:] == "." for image in view["figures"]] != [True] * wanted:
        yield f"{wanted} figures are shown as {view['figures']}"


def test_a_figure_answers_after_its_cell_has_run(page, lab):
    window = page.context.new_page()
    complaints = []
    window.on("pageerror", lambda error: complaints.append(str(error)))
    window.on("request", lambda request: page.elsewhere.append(request.url))
    window.goto(lab.replace("?", "lab/tree/figure.ipynb?"))
    idle = window.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
    expect(window.locator(".jp-KernelName")).to_contain_text("Python 3", timeout=START * 1000)
    expect(idle).to_be_visible(timeout=START * 1000)
    run_all(window)
    window.locator(".play").scroll_into_view_if_needed(timeout=START * 1000)
    assert wait_for(window, "state.epoch > 10")["most"] < 1e-10
    window.get_by_role("button", name="Pause").click()
    before = state(window)
    window.get_by_role("slider", name="Learning rate").press("ArrowLeft")
    assert state(window)["setting"]["rate"] < before["setting"]["rate"]
    assert state(window)["epoch"] == 0 and complaints == []
    expect(window.locator(".jp-OutputArea td strong")).to_have_text("bold")
    window.close()


def test_nothing_comes_from_elsewhere(page, panel, lab):
    host = lab.split("/")[2]
    own = ("data:", "blob:", f"http://{host}/")
    assert [url for url in page.elsewhere if not url.startswith(own)] == []
