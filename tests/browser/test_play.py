"""The figure `network` on a page of the site, under its policy, and against PyTorch."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator

import pytest
from books import ROOT, cell, create_small_book, notebook
from browser.conftest import Site, served
from browser.test_pages import AXE, PAINTED, RUN, STANDARDS, TOO_WIDE
from play import test_net
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("play")]  # one book

DATA = """import sys
import torch
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))
from tools.watch import watch

torch.set_default_dtype(torch.float64)
rng = torch.Generator().manual_seed(0)
labels = torch.arange(480) % 3
t = torch.linspace(0.15, 1, 480)
angle = 4 * t + labels * (2 * torch.pi / 3) + 0.2 * torch.randn(480, generator=rng)
points = torch.stack([t * angle.cos(), t * angle.sin()], 1)"""
PLAY = "watch((points[::2], labels[::2]), (points[1::2], labels[1::2]))"
INDEX = """# A book

One sentence.

:::{embed} #network
:remove-input: true
:::

After it.
"""
CLOSE = 1e-10
ROLES = ("slider", "checkbox", "combobox")


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Iterator[Site]:
    """A book with a notebook that plays the figure below much text, and a page that embeds it."""
    small = create_small_book(tmp_path_factory.mktemp("play") / "book")
    (small.root / "content" / "tools").mkdir()
    for name in ("__init__", "figures", "play", "watch"):
        shutil.copy(ROOT / "content" / "tools" / f"{name}.py", small.root / "content" / "tools")
    shutil.copytree(ROOT / "content" / "play", small.root / "content" / "play")
    text = "# A notebook\n\n" + "A paragraph.\n\n" * 60
    cells = [cell("markdown", text, "title"), cell("code", DATA, "data")]
    small.write("one.ipynb", notebook(*cells, cell("code", PLAY, "network")))
    small.write("index.md", INDEX)
    built = small.build()
    assert built.status == 0, built.output
    with served(built.html, tmp_path_factory.mktemp("served-play")) as site:
        yield site


@pytest.fixture(scope="module")
def network_page(tmp_path_factory) -> Iterator[str]:
    """The address of an empty page beside the figures' modules."""
    folder = tmp_path_factory.mktemp("modules") / "play"
    shutil.copytree(ROOT / "content" / "play", folder)
    (folder / "index.html").write_text('<!doctype html><link rel="icon" href="data:,">')
    with served(folder, tmp_path_factory.mktemp("served-modules")) as site:
        yield site.url


def state(page: Page) -> dict:
    """All that the figure knows of itself."""
    return json.loads(page.locator("[data-state]").get_attribute("data-state"))


def wait_for(page: Page, condition: str, seconds: float = 30) -> dict:
    """Wait until `state` fulfils a condition in JavaScript."""
    page.wait_for_function(
        f"() => {{ const state = JSON.parse(document.querySelector('[data-state]')"
        f"?.dataset.state ?? 'null'); return state && ({condition}); }}",
        timeout=seconds * 1000,
    )
    return state(page)


@pytest.fixture
def still(book, visit) -> Page:
    """The page with the figure, which waits for its reader."""
    page = visit(reduced_motion="reduce").open(book.url)
    wait_for(page, "state.epoch === 0")
    return page


def control(page: Page, name: str) -> Locator:
    """The slider, box or list with this label."""
    found = [page.get_by_role(role, name=name, exact=True) for role in ROLES]
    return found[0].or_(found[1]).or_(found[2])


def test_it_trains_by_itself_as_pytorch_did_and_stops(book, visit):
    page = visit().open(book.url)
    assert wait_for(page, "state.epoch > 2")["compared"]["epoch"] == 1
    end = wait_for(page, "state.epoch === 100")
    assert end["compared"]["epoch"] == 100 and end["compared"]["most"] < CLOSE
    assert end["most"] < CLOSE
    sentence = page.locator(".play-says").inner_text()
    assert re.fullmatch(
        r"PyTorch’s loss in epoch 100, from the same start: 0\.\d{4}\. Difference: \d+(e−\d+)?\. "
        r"The largest difference of a weight after epoch 100: \de−\d+\.",
        sentence,
    ), sentence
    assert f"{end['train']:.4f}" in sentence and end["train"] < 0.1
    page.wait_for_timeout(300)
    assert state(page) == end
    expect(page.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.parametrize("setting", test_net.SETTINGS.values(), ids=test_net.SETTINGS)
def test_chromium_computes_what_pytorch_does_in_each_setting(network_page, visit, setting):
    page = visit().open(network_page)
    train = f"async given => ({test_net.TRAIN})(await import('./net.mjs'), given)"
    test_net.check(setting, lambda given: page.evaluate(train, given))


def test_who_wants_less_motion_gets_none_until_it_is_asked_for(still):
    still.wait_for_timeout(500)
    assert state(still)["epoch"] == state(still)["at"] == 0
    still.get_by_role("button", name="Play").press("Enter")
    wait_for(still, "state.epoch > 1")
    still.get_by_role("button", name="Pause").press("Space")
    before = state(still)
    still.wait_for_timeout(300)
    assert state(still) == before


def test_a_step_is_a_batch_and_starting_again_repeats_it(still):
    step = still.get_by_role("button", name="One step")
    for _ in range(4):
        step.press("Enter")
    first = wait_for(still, "state.epoch === 1")
    still.get_by_role("button", name="Start again").press("Enter")
    assert state(still)["epoch"] == 0
    for _ in range(4):
        step.press("Enter")
    assert wait_for(still, "state.epoch === 1") == first
    still.get_by_role("button", name="New seed").press("Enter")
    for _ in range(4):
        step.press("Enter")
    assert wait_for(still, "state.epoch === 1")["train"] != first["train"]
    expect(still.locator(".play-says")).to_contain_text("no run of PyTorch’s")
    still.get_by_role("button", name="Back to the notebook’s setting").press("Enter")
    for _ in range(4):
        step.press("Enter")
    assert wait_for(still, "state.epoch === 1") == first


def test_every_control_does_what_it_says(still):
    for name, key in (
        ("Learning rate", "rate"),
        ("Units in a layer", "width"),
        ("Hidden layers", "depth"),
        ("Starting weights ×", "scale"),
        ("Batch size", "size"),
    ):
        before = state(still)["setting"][key]
        control(still, name).press("ArrowRight")
        assert state(still)["setting"][key] > before, name
    for name, key in (
        ("No hidden layers", "flat"),
        ("A softmax too many", "extraSoftmax"),
        ("Softmax’s Jacobian taken as diagonal", "diagonal"),
    ):
        control(still, name).press("Space")
        assert state(still)["setting"][key] is True
    still.get_by_role("button", name="Back to the notebook’s setting").click()
    for name, key, values in (
        ("Data", "data", ["moons", "rings", "xor", "line", "spiral"]),
        ("Activation", "activation", ["relu", "sigmoid", "linear", "tanh"]),
    ):
        for value in values:
            control(still, name).select_option(value)
            still.get_by_role("button", name="One step").click()
            assert state(still)["setting"][key] == value
            rows = still.locator(".play-layers tbody tr")
            expect(rows).to_have_count(3)


@pytest.mark.parametrize("data", ["spiral", "moons", "rings", "xor", "line"])
def test_it_learns_each_kind_of_samples(still, data):
    control(still, "Data").select_option(data)
    still.get_by_role("button", name="Play").click()
    assert wait_for(still, "state.epoch >= 60")["right"] > 0.9


def test_too_large_a_learning_rate_is_told(still):
    control(still, "Activation").select_option("linear")
    control(still, "Learning rate").press("End")
    still.get_by_role("button", name="Play").click()
    expect(still.get_by_role("status")).to_contain_text("not a number")
    expect(still.get_by_role("button", name="Play")).to_be_visible()


def test_it_rests_while_it_is_out_of_view(book, visit):
    page = visit().open(book.url)
    wait_for(page, "state.epoch > 1")
    page.evaluate("document.querySelector('[data-widget]').style.marginTop = '3000px'")
    page.wait_for_timeout(300)
    before = state(page)
    page.wait_for_timeout(500)
    assert state(page) == before


def test_it_is_loaded_only_when_it_is_near(book, visit):
    visitor = visit()
    page = visitor.open(book.url + next(name for name in book.pages if "one" in name))
    page.wait_for_load_state("networkidle")
    assert not [url for url in visitor.requests if re.search(r"network\.\w+\.(mjs|json)", url)]
    page.locator("[data-widget]").scroll_into_view_if_needed()
    wait_for(page, "state.epoch > 1")


@pytest.mark.parametrize("width", [390, 768, 1400])
def test_nothing_shifts_or_sticks_out(book, visit, width):
    page = visit(width).open(book.url)
    wait_for(page, "state.epoch > 30")
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(PAINTED)[0] < 0.0005


def test_axe_finds_nothing_and_targets_are_large(book, visit):
    page = visit(reduced_motion="reduce", bypass_csp=True).open(book.url)
    wait_for(page, "state.epoch === 0")
    page.add_script_tag(path=AXE)
    for width, scheme in ((1400, "light"), (1400, "dark"), (390, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(RUN, {"type": "tag", "values": STANDARDS}) == []
    for each in page.locator(".play :is(button, select, label)").all():
        if each.is_visible():
            assert each.bounding_box()["height"] >= 44, each.inner_text()


def test_colors_follow_the_page(still):
    drawn = """() => document.querySelector(".play-plane canvas").toDataURL()"""
    light = still.evaluate(drawn)
    still.emulate_media(color_scheme="dark")
    still.wait_for_function(f"(light) => ({drawn})() !== light", arg=light)
    still.emulate_media(color_scheme="light")
    still.wait_for_function(f"(light) => ({drawn})() === light", arg=light)


def test_without_scripts_and_on_paper_there_is_a_still_picture(book, visit):
    page = visit(java_script_enabled=False).open(book.url)
    picture = page.get_by_role("img", name="Points held out")
    expect(picture).to_be_visible()
    assert page.locator("[data-widget]").bounding_box()["height"] < 500
    page = visit(reduced_motion="reduce").open(book.url)
    wait_for(page, "state.epoch === 0")
    live, picture = page.locator(".play"), page.locator(".still img.for-light")
    expect(live).to_be_visible()
    expect(picture).to_be_hidden()
    page.emulate_media(media="print")
    expect(live).to_be_hidden()
    expect(picture).to_be_visible()


@pytest.mark.parametrize("width", [390, 1400])
def test_a_control_does_not_move_under_the_hand(book, visit, width):
    page = visit(width, reduced_motion="reduce").open(book.url)
    wait_for(page, "state.epoch === 0")
    rate = control(page, "Learning rate")
    rate.scroll_into_view_if_needed()
    before = rate.bounding_box()
    rate.press("ArrowLeft")
    expect(page.get_by_role("button", name="Back to the notebook’s setting")).to_be_visible()
    assert rate.bounding_box() == before
