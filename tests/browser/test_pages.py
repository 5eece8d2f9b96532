"""What holds for every page of both sites."""

from __future__ import annotations

import posixpath
import re
from collections import Counter

import pytest
from conftest import ROOT

from scripts.site_check import over_budget, weight

pytestmark = pytest.mark.browser

AXE = ROOT / "theme" / "node_modules" / "axe-core" / "axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async (only) => {
  document.querySelectorAll("details").forEach((each) => (each.open = true));
  // The page hears of a new width, of an opened fold and of the fonts in it a frame later.
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  await frame();
  await document.fonts.ready;
  await frame();
  await frame();
  // axe reads no MathML, and so takes the head of a column that is a formula for an empty one.
  const isFormula = (id, { target }) =>
    id === "empty-table-header" && document.querySelector(target[0]).querySelector("math");
  const { violations } = await axe.run(document, { runOnly: only, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) =>
    nodes.filter((node) => !isFormula(id, node)).map((node) => `${id}: ${node.html}`));
}"""
# How far things have moved; and milliseconds from the first paint to the largest thing painted.
# A page is loaded before it is painted, so the first paint is waited for, and what follows it.
PAINTED = """() => new Promise((resolve, reject) => {
  let shift = 0, largest = 0;
  const observe = (type, take) => new PerformanceObserver((list) =>
    list.getEntries().forEach(take)).observe({ type, buffered: true });
  observe("layout-shift", (entry) => (shift += entry.value));
  observe("largest-contentful-paint", (entry) => (largest = entry.startTime));
  observe("paint", ({ name, startTime }) => {
    if (name === "first-contentful-paint") {
      setTimeout(() => resolve([shift, largest - startTime]), 150);
    }
  });
  setTimeout(() => reject(new Error("nothing is painted after ten seconds")), 10000);
})"""
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
    .map((each) => each.outerHTML.slice(0, 100))"""


def test_axe_finds_nothing(site, visit):
    assert AXE.exists(), "run `npm install --ignore-scripts` in theme"
    visitor = visit(bypass_csp=True)  # axe is an inline script
    everything = {"type": "tag", "values": STANDARDS}
    found = {}
    for file in site.pages:
        page = visitor.open(site.url + file)  # a tab of its own: Chromium tells of unused preloads
        page.add_script_tag(path=AXE)
        page.keyboard.press("Shift")  # from the first key on, boxes that scroll can be reached
        for width, scheme in ((1400, "light"), (390, "dark")):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            if violations := page.evaluate(RUN, everything):
                found[file, width, scheme] = violations
        page.close()
    assert found == {}


@pytest.mark.parametrize("width", [390, 768, 1400])
def test_nothing_shifts_or_sticks_out(site, visit, width):
    visitor = visit(width)
    for file, page in visitor.through(site):
        # Nothing but the network is waited for, and nothing shifts: 0.000. On a busy machine a font
        # or a frame is late at times, but not every time.
        seen = []
        while not seen or seen[-1][0] >= 0.0005 or seen[-1][1] >= 100:
            assert len(seen) < 5, (file, seen)
            if seen:
                page.reload()
            assert page.evaluate(TOO_WIDE) == [], file
            seen.append(page.evaluate(PAINTED))


KINDS = {".css": "CSS", ".js": "JavaScript"}


def test_budgets_of_what_a_page_loads(site, visit):
    """The build has measured the files that a page names; here, those that the browser fetched."""
    visitor = visit()
    for file in site.pages:
        before = len(visitor.requests)
        page = visitor.open(site.url + file)
        page.wait_for_load_state("networkidle")
        sizes = Counter(HTML=weight((site.folder / file).read_bytes()))
        for url in set(visitor.requests[before:]):
            name = url.partition("/assets/")[2]
            kind = KINDS.get(re.sub(r".*(?=\.)", "", name))
            if kind and not name.startswith(("counter.", "widget.")):  # an author's widget
                content = (site.folder / "assets" / name).read_bytes()
                sizes[kind] += weight(content)
        assert over_budget(sizes) == [], file
        assert sizes["CSS"] > 0 and sizes["JavaScript"] > 0
        page.close()


REACHED = """() => [...document.querySelectorAll("pre, .scroll")].map((box) => [
  box.tabIndex === 0, box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight])"""


def test_the_keyboard_reaches_every_box_that_scrolls_and_no_other(site, visit):
    visitor = visit(390, bypass_csp=True)  # the style below is an inline one
    count = 0
    for file, page in visitor.through(site):
        page.evaluate("Promise.all([...document.fonts].map((font) => font.load()))")
        page.keyboard.press("Shift")  # the first key, with most of the page not laid out
        reached = [box[0] for box in page.evaluate(REACHED)]
        page.add_style_tag(content="* { content-visibility: visible !important; }")
        scrolls = [box[1] for box in page.evaluate(REACHED)]
        assert reached == scrolls, file
        count += sum(scrolls)
    assert count > 2


def test_the_keyboard_sees_where_it_is(site, visit):
    page = visit().open(site.url + site.pages[-1])
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            """() => {
              const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
              const { top, bottom } = document.activeElement.getBoundingClientRect();
              return [document.activeElement.textContent.trim(), outlineStyle,
                      parseFloat(outlineWidth), bottom > 0 && top < innerHeight];
            }"""
        )
        seen.append(focus[0])
        assert focus[1] != "none" and focus[2] >= 2 and focus[3], focus
    assert seen[0] == "Skip to the text"
    assert len(set(seen)) > 8
    page.evaluate("document.querySelector('.skip').focus()")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_pages_can_be_read_without_scripts(site, visit):
    visitor = visit(390, java_script_enabled=False)
    for file in site.pages[:3]:
        page = visitor.open(site.url + file)
        assert page.locator("h1").is_visible()
        assert not page.locator("button.search, button.theme").first.is_visible()
        page.click("button.menu")  # a popover needs no script
        assert page.locator("nav.contents a").first.is_visible()
        page.close()


def test_pages_can_be_read_from_a_folder(site, visit):
    """One of each folder and each set of scripts; the build has followed the addresses on all."""
    visitor, kinds = visit(), {}
    for file in site.pages:
        scripts = re.findall(r'src="[^"]*?/?(\w+)\.\w+\.js"', (site.folder / file).read_text())
        kinds[posixpath.dirname(file), *scripts] = file
    for file in kinds.values():
        page = visitor.open((site.folder / file).as_uri())
        assert page.locator("h1").is_visible()
        fonts = page.evaluate("document.fonts.ready.then((f) => [...f].map((each) => each.status))")
        assert "error" not in fonts
        page.close()
