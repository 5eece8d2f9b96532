"""The figures that answer, driven by keyboard and pointer, against PyTorch.

Each figure keeps all its numbers, with all digits, in `data-state`.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import torch
from books import ROOT
from browser.conftest import served
from playwright.sync_api import Locator, Page, expect
from torch.nn import functional as F

from theme.render import content_policy

pytestmark = pytest.mark.browser

FIGURES = ["paper", "bend", "softmax", "valley"]
CLOSE = {"rtol": 1e-10, "atol": 1e-10}
AXE = ROOT / "theme" / "node_modules" / "axe-core" / "axe.min.js"
PAGE = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A figure</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{content_policy("", None)}">
<link rel="icon" href="data:,"><link rel="stylesheet" href="style.css">
<script type="module" src="start.mjs"></script></head>
<body><main><h1>A figure</h1><div id="place"></div></main></body></html>"""
START = """const asked = new URLSearchParams(location.search);
const state = JSON.parse(asked.get("state"));
const { default: figure } = await import(`./play/${asked.get("name")}.mjs`);
figure.render({ model: { get: (name) => state[name] }, el: document.querySelector("#place") });
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Iterator[str]:
    """The address of a page under the site's policy that shows one figure."""
    folder = tmp_path_factory.mktemp("figures")
    (folder / "index.html").write_text(PAGE)
    (folder / "start.mjs").write_text(START)
    shutil.copy(ROOT / "theme" / "static" / "style.css", folder)
    shutil.copytree(ROOT / "content" / "play", folder / "play")
    with served(folder, tmp_path_factory.mktemp("served-figures")) as site:
        yield site.url


@pytest.fixture
def show(place, visit):
    """Show a figure in a window with these options."""

    def open_(name: str, state: dict | None = None, width: int = 1400, **options: object) -> Page:
        visitor = visit(width, **options)
        page = visitor.open(f"{place}?name={name}&state={quote(json.dumps(state or {}))}")
        page.locator(".play").wait_for()
        return page

    return open_


def numbers(page: Page) -> dict:
    """What the figure shows, with all digits."""
    return json.loads(page.locator(".play").get_attribute("data-state"))


def drag(page: Page, handle: int, dx: float, dy: float) -> None:
    """Drag a handle of a plot by so many pixels."""
    box = page.locator(".play-handle").nth(handle).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=3)
    page.mouse.up()


def slider(page: Page, name: str) -> Locator:
    """A slider by its name, which is its label without its number."""
    return page.get_by_role("slider", name=name, exact=True)


def near(actual: object, expected: object) -> None:
    torch.testing.assert_close(torch.as_tensor(actual, dtype=torch.float64), expected, **CLOSE)


# --- Backpropagation on paper --------------------------------------------------------------------


def autograd(state: dict) -> tuple[dict, dict]:
    """Values and derivatives of the network on paper, by PyTorch."""
    units = range(2 if state["two"] else 1)
    v = {key: torch.tensor(state[key], dtype=torch.float64) for key in ("x", "b2")}
    for j in units:
        for kind in ("w1", "b1", "w2"):
            v[f"{kind}.{j}"] = torch.tensor(state[kind][j], dtype=torch.float64)
    for value in v.values():
        value.requires_grad_()
    for j in units:
        v[f"z.{j}"] = v[f"w1.{j}"] * v["x"] + v[f"b1.{j}"]
        v[f"a.{j}"] = v[f"z.{j}"].relu()
    v["p"] = sum(v[f"w2.{j}"] * v[f"a.{j}"] for j in units) + v["b2"]
    loss = (v["p"] - state["y"]) ** 2
    gradients = dict(zip(v, torch.autograd.grad(loss, list(v.values())), strict=True))
    return {**v, "L": loss}, gradients


def check_paper(page: Page) -> None:
    found = numbers(page)
    values, gradients = autograd(found)
    assert found["gradients"].keys() == gradients.keys()
    for key, value in values.items():
        near(found["values"][key], value.detach())
    for key, gradient in gradients.items():
        near(found["gradients"][key], gradient)
        # The loss is a parabola along each number, except at the bend.
        if all(abs(found["values"][f"z.{j}"]) > 0.1 for j in range(1 + found["two"])):
            assert abs(found["differences"][key] - gradient) < 1e-7, key


def test_paper_computes_what_autograd_does_for_random_numbers(show):
    page = show("paper")
    found = numbers(page)
    assert found["values"]["L"] == 9
    expected = {
        "p": -6,
        "w2.0": -12,
        "b2": -6,
        "a.0": -3,
        "z.0": -3,
        "w1.0": -9,
        "b1.0": -3,
        "x": -3,
    }
    assert found["gradients"] == expected
    check_paper(page)
    choose = random.Random(0)
    for two in (False, True):
        page.get_by_label("a second hidden unit").set_checked(two)
        sliders = page.locator(".play-numbers input")
        assert sliders.count() == (9 if two else 6)
        for _ in range(6):
            for each in sliders.all():
                limit = float(each.get_attribute("max"))
                each.fill(str(round(choose.uniform(-limit, limit), 1)))
            check_paper(page)
    assert numbers(page)["two"]


def test_paper_takes_the_numbers_of_one_unit(show):
    page = show("paper", {"x": 2, "y": 4, "w1": [0.5], "b1": [1], "w2": [-1], "b2": 3})
    assert numbers(page)["gradients"]["w1.0"] == 12
    page.get_by_label("a second hidden unit").check()
    check_paper(page)


def test_paper_goes_forward_and_backward_by_keyboard(show):
    page = show("paper")
    table, said = page.locator("tbody tr"), page.get_by_role("status")
    page.get_by_role("button", name="Clear").press("Enter")
    assert page.locator("svg text.forward").all_text_contents().count("") == 4  # z, a, p and L
    assert set(page.locator("tbody td").all_inner_texts()) == {""}
    following = page.get_by_role("button", name="Next")
    for words in (
        "z₁ = 1 · 3 + (−1) = 2",
        "a₁ = max(2, 0) = 2",
        "p = 0.5 · 2 + 3 = 4",
        "L = (4 − 7)² = 9",
    ):
        following.press("Space")
        expect(said).to_have_text(f"Forward: {words}.")
    for count in range(1, 9):
        following.press("Enter")
        shown = [row.locator("td").nth(1).inner_text() != "" for row in table.all()]
        assert shown == [True] * count + [False] * (8 - count)
    assert table.nth(5).locator("th, td").all_inner_texts() == ["∂L/∂w₁", "−3 · 3", "−9", "−9"]
    page.get_by_role("button", name="Back").press("Enter")
    expect(said).to_have_text("Backward: ∂L/∂b₁ = −3 · 1 = −3.")
    # A slider by its keys, and h to where rounding is all that is left.
    slider(page, "w₂").press("ArrowLeft")
    assert numbers(page)["w2"][0] == 0.4
    slider(page, "step h").press("Home")
    found = numbers(page)
    assert (
        found["h"] == 1e-15
        and abs(found["differences"]["w2.0"] - found["gradients"]["w2.0"]) > 0.01
    )


def test_paper_steps_downhill_as_sgd_does(show):
    page = show("paper", {"two": True})
    before = numbers(page)
    for _ in range(3):
        page.get_by_role("button", name="Step downhill").press("Enter")
    parameters = [
        torch.tensor(before[name], dtype=torch.float64) for name in ("w1", "b1", "w2", "b2")
    ]
    optimizer = torch.optim.SGD([each.requires_grad_() for each in parameters], lr=0.01)
    for _ in range(3):
        w1, b1, w2, b2 = parameters
        loss = ((w2 * (w1 * 3 + b1).relu()).sum() + b2 - 7) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    for name, each in zip(("w1", "b1", "w2", "b2"), parameters, strict=True):
        near(numbers(page)[name], each.detach())
    page.get_by_role("button", name="Reset").click()
    assert numbers(page) == before


# --- Softmax -------------------------------------------------------------------------------------


def check_softmax(page: Page) -> None:
    found = numbers(page)
    z = torch.tensor([found["logits"]], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([found["right"]])
    for loss, names in (
        (F.cross_entropy(z, y), ("loss", "gradient")),
        (F.cross_entropy(z.softmax(1), y), ("doubledLoss", "doubledGradient")),
    ):
        near(found[names[0]], loss.detach())
        near(found[names[1]], torch.autograd.grad(loss, z)[0][0])
    near(found["p"], z.softmax(1)[0].detach())
    near(found["q"], z.softmax(1).softmax(1)[0].detach())
    perfect = F.one_hot(y, len(found["logits"])).double()
    near(found["floor"], F.cross_entropy(perfect, y))


def test_softmax_computes_what_torch_does_for_random_logits(show):
    page = show("softmax")
    found = numbers(page)
    near(found["gradient"], torch.tensor([1 / 8, -3 / 4, 5 / 8], dtype=torch.float64))
    check_softmax(page)
    choose = random.Random(0)
    for k in (2, 3, 10):
        slider(page, "classes k").fill(str(k))
        for _ in range(4):
            for number in range(k):
                slider(page, f"logit of class {number}").fill(f"{choose.uniform(-10, 10):.1f}")
            page.get_by_role("radio", name=f"class {choose.randrange(k)} is right").check()
            check_softmax(page)


def test_softmax_shows_floor_and_ceiling_by_keyboard_and_by_pointer(show):
    page = show("softmax")
    said = page.get_by_role("status")
    page.get_by_label("a softmax too many").press("Space")
    for name, loss in (("Sure and right", 0.5514), ("Sure and wrong", 1.5514)):
        page.get_by_role("button", name=name).press("Enter")
        assert abs(numbers(page)["doubledLoss"] - loss) < 1e-3
        expect(said).to_contain_text("never below 0.5514, never above 1.551")
    page.get_by_role("button", name="Knows nothing").press("Enter")
    expect(said).to_contain_text("3 times smaller")
    slider(page, "logit of class 0").press("ArrowRight")
    assert numbers(page)["logits"] == [0.1, 0, 0]
    page.get_by_role("radio", name="class 1 is right").press("ArrowDown")
    assert numbers(page)["right"] == 2
    drag(page, 0, 60, 0)  # along the curve of the loss
    found = numbers(page)
    assert found["logits"][2] > 2 and found["logits"][:2] == [0.1, 0]
    assert float(slider(page, "logit of class 2").input_value()) == found["logits"][2]
    check_softmax(page)


# --- A valley ------------------------------------------------------------------------------------


def sgd_path(found: dict, alone: bool = False) -> list[list[float]]:
    """The same walk, by autograd and torch.optim.SGD; `alone`, with b as it is."""
    ground = found["grounds"][found["ground"]]
    a, y = (torch.tensor(ground[name], dtype=torch.float64) for name in ("a", "y"))
    w, b = (torch.tensor(each, dtype=torch.float64, requires_grad=True) for each in ground["start"])
    parameters, lr, beta = [w] if alone else [w, b], found["lr"], found["beta"]
    if found["rule"] == "adam":
        optimizer = torch.optim.Adam(parameters, lr=lr, betas=(beta, found["beta2"]))
    else:
        momentum = beta if found["rule"] == "momentum" else 0
        optimizer = torch.optim.SGD(parameters, lr=lr, momentum=momentum)
    path = [[w.item(), b.item()]]
    for _ in range(found["steps"]):
        optimizer.zero_grad()
        F.mse_loss(w * a + b, y).backward()
        optimizer.step()
        path.append([w.item(), b.item()])
    return path


def check_valley(found: dict) -> None:
    near(found["path"], torch.tensor(sgd_path(found), dtype=torch.float64))
    near(found["alone"], torch.tensor(sgd_path(found, alone=True), dtype=torch.float64))


@pytest.mark.parametrize("ground", ["bowl", "groove"])
def test_valley_steps_as_sgd_does(show, ground):
    page = show("valley", {"steps": 0})
    page.get_by_role("combobox", name="loss of").select_option(ground)
    for step in range(8):
        found = numbers(page)
        assert len(found["path"]) == step + 1
        check_valley(found)
        page.get_by_role("button", name="One more step").press("Enter")
    for key in ("Home", "ArrowRight", "End"):  # from far too small to far too large
        slider(page, "learning rate").press(key)
        found = numbers(page)
        check_valley(found)
    assert found["lr"] == 0.5 and found["losses"][-1] > found["losses"][0]
    page.get_by_role("button", name="Reset").click()
    assert numbers(page)["ground"] == "bowl"


@pytest.mark.parametrize("ground", ["bowl", "groove"])
@pytest.mark.parametrize("rule", ["momentum", "adam"])
def test_valley_steps_as_momentum_and_adam_do(show, rule, ground):
    page = show("valley", {"steps": 0, "rule": "plain", "ground": ground, "lr": 0.05})
    page.get_by_role("combobox", name="rule").select_option(rule)
    for step in range(30):
        found = numbers(page)
        assert (found["rule"], len(found["path"])) == (rule, step + 1)
        check_valley(found)
        page.get_by_role("button", name="One more step").press("Enter")
    names = ["momentum β₁"] + ["average of squares β₂"] * (rule == "adam")
    assert slider(page, "average of squares β₂").count() == len(names) - 1
    for name in names:
        slider(page, name).press("Home")
        slider(page, name).press("ArrowRight")
        check_valley(numbers(page))
    page.get_by_role("button", name="Reset").press("Enter")
    assert numbers(page)["rule"] == "plain"
    assert slider(page, "momentum β₁").count() == 0


def test_valley_has_no_choice_of_rule_unless_asked(show):
    page = show("valley")
    assert page.get_by_role("combobox", name="rule").count() == 0
    assert slider(page, "momentum β₁").count() == 0


@pytest.mark.parametrize("ground", ["bowl", "groove"])
def test_valley_has_a_true_map_and_true_factors(show, ground):
    page = show("valley", {"ground": ground, "lr": 0.07})
    found = numbers(page)
    points = found["grounds"][ground]
    a, y = (torch.tensor(points[name], dtype=torch.float64) for name in ("a", "y"))
    for level, line in json.loads(page.locator(".play").get_attribute("data-contours")):
        w, b = torch.tensor(line, dtype=torch.float64).T
        losses = ((w[:, None] * a + b[:, None] - y) ** 2).mean(1)
        near(losses, torch.full_like(losses, level))
    hessian = torch.autograd.functional.hessian(
        lambda w, b: F.mse_loss(w * a + b, y), (torch.zeros(()).double(), torch.zeros(()).double())
    )
    curvatures = torch.linalg.eigvalsh(torch.tensor(hessian, dtype=torch.float64)).flip(0)
    near(found["factors"], 1 - 0.07 * curvatures)
    near(found["factorAlone"], 1 - 0.07 * hessian[0][0])


def test_valley_starts_where_one_drags(show):
    page = show("valley", width=540)
    before = numbers(page)["path"][0]
    drag(page, 0, -50, 40)
    found = numbers(page)
    w, b = found["path"][0]
    assert w < before[0] - 0.5 and b < before[1] - 0.5
    # As far on the map as on the screen: a unit is as long across as up.
    assert abs((before[0] - w) / 50 - (before[1] - b) / 40) < 0.0015
    assert float(slider(page, "start w").input_value()) == w
    check_valley(found)
    slider(page, "start b").press("ArrowUp")
    assert abs(numbers(page)["path"][0][1] - b - 0.05) < 1e-9


# --- Bent lines ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebook_start() -> dict:
    """The points and the random numbers that the notebook starts from."""
    rows = torch.randn(3, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = torch.linspace(-2, 2, 50, dtype=torch.float64).reshape(50, 1)
    return {"x": x.tolist(), "y": torch.sin(2 * x).tolist(), "start": [*rows.tolist(), [0.0]]}


def sgd_network(start: dict, k: int, lr: float, steps: int) -> list[torch.Tensor]:
    """The parameters after so many steps by autograd and torch.optim.SGD."""
    x, y = (torch.tensor(start[name], dtype=torch.float64) for name in ("x", "y"))
    rows = [torch.tensor(row[:k], dtype=torch.float64) for row in start["start"]]
    parameters = [row.requires_grad_() for row in rows]
    optimizer = torch.optim.SGD(parameters, lr=lr)
    for _ in range(steps):
        w1, b1, w2, b2 = parameters
        loss = F.mse_loss(((w1 * x + b1).relu() * w2).sum(1, keepdim=True) + b2, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [each.detach() for each in parameters]


def check_bend(page: Page, start: dict) -> dict:
    found = numbers(page)
    expected = sgd_network(start, found["k"], found["lr"], found["steps"])
    for name, each in zip(("w1", "b1", "w2"), expected, strict=False):
        near(found[name], each)
    near([found["b2"]], expected[3])
    return found


def test_bend_trains_as_torch_does(show, notebook_start):
    page = show("bend", {**notebook_start, "steps": 150})
    step = page.get_by_role("button", name="One step")
    for _ in range(50):
        step.press("Enter")
    assert check_bend(page, notebook_start)["steps"] == 200
    slider(page, "bent lines k").press("ArrowLeft")
    assert numbers(page)["k"] == 15 and numbers(page)["steps"] == 0
    page.get_by_role("button", name="Train").press("Enter")
    while numbers(page)["steps"] < 100:
        page.wait_for_timeout(20)
    page.get_by_role("button", name="Pause").press("Enter")
    found = check_bend(page, notebook_start)
    page.wait_for_timeout(100)
    assert numbers(page) == found
    slider(page, "learning rate").press("End")
    page.get_by_role("button", name="Start again").click()
    page.get_by_role("button", name="Train").click()
    expect(page.get_by_role("status")).to_contain_text("the learning rate is too large")
    expect(page.get_by_role("button", name="Train")).to_be_visible()  # it has stopped


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_bend_rests_until_asked_and_out_of_sight(show, motion):
    page = show("bend", reduced_motion=motion)
    page.wait_for_timeout(150)
    assert numbers(page)["steps"] == 0
    page.get_by_role("button", name="Train").click()
    page.wait_for_timeout(150)
    assert numbers(page)["steps"] > 0
    page.locator("#place").evaluate("(el) => (el.style.marginTop = '3000px')")
    page.wait_for_timeout(200)
    away = numbers(page)["steps"]
    page.wait_for_timeout(200)
    assert numbers(page)["steps"] == away
    page.locator("#place").evaluate("(el) => (el.style.marginTop = '')")
    page.wait_for_timeout(200)
    assert numbers(page)["steps"] > away


def test_bend_bends_by_hand(show, notebook_start):
    page = show("bend", notebook_start)
    slider(page, "line number").fill("3")
    slider(page, "bends at x =").fill("0.5")
    slider(page, "slope").fill("-2")
    page.get_by_label("slopes to the left").check()
    found = numbers(page)
    assert (found["side"], found["steps"]) == (-1, 0)
    assert found["w1"][2] == -abs(notebook_start["start"][0][2])  # the weight goes into w2
    before = page.locator(".play-handle").first.bounding_box()
    drag(page, 0, -60, 0)
    assert page.locator(".play-handle").first.bounding_box()["x"] < before["x"] - 50
    assert numbers(page)["at"] < 0
    assert abs(numbers(page)["slope"] - found["slope"]) < 1e-12
    drag(page, 1, 0, -40)
    found = numbers(page)
    assert abs(found["slope"] - -2) > 0.3
    x = torch.linspace(-2, 2, 50, dtype=torch.float64).reshape(50, 1)
    w1, b1, w2 = (torch.tensor(found[name], dtype=torch.float64) for name in ("w1", "b1", "w2"))
    near(found["p"], ((w1 * x + b1).relu() * w2).sum(1) + found["b2"])
    bent = w2[2] * (w1[2] * x[:, 0] + b1[2]).relu()
    near(bent, found["slope"] * (x[:, 0] - found["at"]) * (x[:, 0] < found["at"]))
    near(
        found["loss"],
        F.mse_loss(torch.tensor(found["p"], dtype=torch.float64), torch.sin(2 * x[:, 0])),
    )


# --- All of them ---------------------------------------------------------------------------------

SMALL = """() => [...document.querySelectorAll(".play :is(button, select, label), .play-handle")]
  .filter((each) => each.getBoundingClientRect().height < 43.9)
  .map((each) => each.outerHTML)"""
TOO_WIDE = "() => document.documentElement.scrollWidth > innerWidth"
BUSY = {
    "paper": {"two": True},
    "softmax": {"doubled": True},
    "valley": {"ground": "groove", "rule": "adam"},
}


@pytest.mark.parametrize("name", FIGURES)
def test_axe_finds_nothing_and_fingers_find_everything(show, name):
    for state in ({}, BUSY.get(name, {})):
        page = show(name, state, bypass_csp=True)  # axe is an inline script
        page.add_script_tag(path=AXE)
        for width, scheme, options in (
            (1400, "light", "{}"),
            (1400, "dark", "{ runOnly: ['color-contrast'] }"),
            (390, "dark", "{}"),
        ):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate(f"async () => (await axe.run({options})).violations")
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
            assert page.evaluate(SMALL) == []
            assert not page.evaluate(TOO_WIDE)


@pytest.mark.parametrize("name", FIGURES)
def test_words_say_what_the_figure_shows(show, name):
    page = show(name)
    said = page.get_by_role("status")
    expect(said).to_have_text(page.locator(".play p[aria-hidden]").inner_text())
    assert page.locator("[role=status]").count() == 1
    described = page.evaluate(f"async () => (await import('./play/{name}.mjs')).description()")
    assert described.endswith(".") and len(described) > 60
    labels = [each.get_attribute("aria-label") for each in page.locator("svg[role=img]").all()]
    assert described in labels and "" not in labels
    page.locator("input[type=range]").first.press("ArrowLeft")
    expect(said).to_have_text(page.locator(".play p[aria-hidden]").inner_text())
