"""Each feature, by mouse and by keyboard."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_search_by_keyboard_loads_nothing_before_and_goes_to_the_heading(sink_site, visit, key):
    visitor = visit()
    page = visitor.open(sink_site.url + "blocks.html")
    page.wait_for_load_state("networkidle")
    assert not [url for url in visitor.requests if "minisearch" in url or "records" in url]
    page.keyboard.press(key)
    page.keyboard.type("exercses pro")  # a typo, and a beginning
    selected = page.locator("#found [aria-selected=true]")
    expect(selected).to_contain_text("Exercises and proofs")
    active = page.locator("input[role=combobox]").get_attribute("aria-activedescendant")
    assert active == selected.get_attribute("id")
    page.keyboard.press("Enter")
    expect(page.locator("dialog.searching")).to_be_hidden()
    assert page.url == sink_site.url + "blocks.html#exercises-and-proofs"


def test_search_finds_words_of_a_script_without_spaces(sink_site, visit):
    page = visit().open(sink_site.url)
    page.click("button.search")
    page.keyboard.insert_text("链式")
    expect(page.locator("#found [aria-selected=true]")).to_contain_text("Words without spaces")


def test_search_moves_with_the_arrows_and_closes_with_escape(sink_site, visit):
    page = visit().open(sink_site.url)
    page.click("button.search")
    page.keyboard.type("links")
    options = page.locator("#found [role=option]")
    expect(options.nth(1)).to_be_visible()
    page.keyboard.press("ArrowDown")
    assert options.nth(1).get_attribute("aria-selected") == "true"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert options.last.get_attribute("aria-selected") == "true"
    page.keyboard.press("Escape")
    expect(page.locator("dialog.searching")).to_be_hidden()
    assert page.evaluate("document.activeElement.className") == "search"
    page.keyboard.press("/")
    page.keyboard.press("Control+a")
    page.keyboard.type("zzzzzz")
    expect(page.get_by_role("status")).to_have_text("Nothing found")


def test_search_works_on_every_site_also_from_a_folder(site, visit):
    page = visit().open((site.folder / site.pages[-1]).as_uri())
    page.keyboard.press("/")
    page.keyboard.type(page.locator("h1").inner_text())
    expect(page.locator("#found a").first).to_be_visible()
    page.locator("#found a").first.click()
    expect(page.locator("h1")).to_be_visible()
    assert Path(url2pathname(urlsplit(page.url).path)).is_relative_to(site.folder)


def test_the_choice_of_colors_stays_and_does_not_flash(sink_site, visit):
    visitor = visit(color_scheme="light")
    page = visitor.open(sink_site.url)
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    button = page.locator("button.theme")
    assert button.get_attribute("aria-label") == "Theme: system"
    button.click()
    button.click()
    assert button.get_attribute("aria-label") == "Theme: dark"
    dark = page.evaluate(paper)
    assert dark != light
    again = visitor.context.new_page()
    # Scripts that are not deferred have all run before there is a body to paint.
    again.add_init_script(
        "new MutationObserver(() => (window.early ??= document.body && "
        "document.documentElement.dataset.theme)).observe(document, {childList: 1, subtree: 1})"
    )
    again.goto(sink_site.url + "math.html")
    assert again.evaluate("window.early") == "dark"
    assert again.evaluate(paper) == dark
    again.emulate_media(color_scheme="dark")
    again.locator("button.theme").press("Enter")
    assert again.locator("button.theme").get_attribute("aria-label") == "Theme: system"
    assert again.evaluate(paper) == dark


def test_the_outline_follows_the_scroll_and_the_contents_know_the_page(sink_site, visit):
    page = visit().open(sink_site.url + "blocks.html")
    assert page.locator("nav.contents [aria-current=page]").inner_text() == "Blocks"
    for name in ("Code", "Boxes"):
        page.evaluate(f"document.getElementById('{name.lower()}').scrollIntoView()")
        expect(page.locator("nav.outline [aria-current=location]")).to_have_text(name)


@pytest.mark.parametrize("name", ["contents", "outline"])
def test_drawers_on_a_phone(sink_site, visit, name):
    page = visit(390).open(sink_site.url + "blocks.html")
    drawer, button = page.locator(f"nav.{name}"), page.locator(f"[popovertarget={name}]")
    expect(drawer).to_be_hidden()
    button.focus()
    page.keyboard.press("Enter")
    expect(drawer).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    button.click()
    drawer.locator("a").last.click()
    assert page.url != sink_site.url + "blocks.html"
    expect(drawer).to_be_hidden()


@pytest.mark.parametrize("way", ["pointer", "focus"])
def test_a_reference_shows_what_it_points_to(sink_site, visit, way):
    page = visit().open(sink_site.url + "index.html")
    box = page.locator(".hover")
    targets = {
        "Figure 1": "A drawing.",  # on another page
        "loss": "What is minimized.",
        "Knuth (1968)": "The Art of Computer Programming",
    }
    for name, text in targets.items():
        link = page.locator("main p a", has_text=name).first
        if way == "pointer":
            link.hover()
            expect(box).to_contain_text(text)
            box.hover()  # it stays while the pointer is on it
            page.wait_for_timeout(300)
            expect(box).to_be_visible()
        else:
            page.keyboard.press("Tab")  # the focus is visible from now on
            link.focus()
            expect(box).to_contain_text(text)
        page.keyboard.press("Escape")
        expect(box).to_be_hidden()
        page.mouse.move(0, 0)
    assert page.locator(".hover [id]").count() == 0


def test_tabs(sink_site, visit):
    page = visit().open(sink_site.url + "blocks.html")
    first, second = page.locator("[role=tablist]").all()
    panel = page.get_by_text("In a shell.", exact=True)
    expect(panel).to_be_hidden()
    first.get_by_role("tab", name="Python").focus()
    page.keyboard.press("ArrowRight")
    expect(panel).to_be_visible()
    expect(page.get_by_text("In Python.", exact=True)).to_be_hidden()
    expect(page.get_by_text("Once more in a shell.")).to_be_visible()  # the same key
    assert second.get_by_role("tab", selected=True).inner_text() == "Shell"
    first.get_by_role("tab", name="Python").click()
    expect(panel).to_be_hidden()


def test_tabs_without_scripts_are_an_accordion(sink_site, visit):
    page = visit(java_script_enabled=False).open(sink_site.url + "blocks.html")
    panel = page.get_by_text("In a shell.", exact=True)
    expect(panel).to_be_hidden()
    page.locator("summary", has_text="Shell").first.click()
    expect(panel).to_be_visible()
    expect(page.get_by_text("In Python.", exact=True)).to_be_hidden()


def test_a_widget_keeps_the_contract(sink_site, visit):
    page = visit().open(sink_site.url + "blocks.html")
    page.locator(".widget").scroll_into_view_if_needed()  # loaded when it is near
    button = page.locator(".widget button")
    expect(button).to_have_text("Clicked 3 times")
    button.click()
    button.press("Enter")
    expect(button).to_have_text("Clicked 5 times")


def test_code_and_formulas_are_copied_as_they_were_written(sink_site, visit):
    visitor = visit(permissions=["clipboard-read", "clipboard-write"])
    page = visitor.open(sink_site.url + "blocks.html")
    box = page.locator(".code", has_text="double").first
    box.hover()
    box.get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("def double(x: float) -> float:\n") and copied.endswith("2 * x")
    page.locator(".numbered").locator("..").get_by_role("button").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "def half(x):\n    return x / 2"
    page.goto(sink_site.url + "math.html")
    page.locator("article p", has_text="Inline").select_text()
    page.keyboard.press("Control+c")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == "Inline $a^2 + b^2 = c^2$ and $x < y$."


def test_cells_figures_equations_and_headings_have_links_to_themselves(sink_site, visit):
    page = visit().open(sink_site.url + "outputs.html")
    page.locator("#streams .code").hover()
    page.locator("#streams").get_by_label("Link to this code").click()
    assert page.url.endswith("outputs.html#streams")
    for file, selector in {
        "blocks.html": "figcaption a.number",
        "math.html": ".math a.number",
        "index.html": "h2 a.anchor",
    }.items():
        page.goto(sink_site.url + file)
        page.locator(selector).first.click()
        target = page.evaluate("document.getElementById(location.hash.slice(1))?.tagName")
        assert target in ("FIGURE", "DIV", "H2")


def test_long_lines_scroll_in_their_own_box_by_keyboard(sink_site, visit):
    page = visit(390).open(sink_site.url + "blocks.html")
    box = page.locator("pre", has_text="A very long line")
    box.focus()
    page.keyboard.press("ArrowRight")
    # The page's policy forbids the `eval` that wait_for_function repeats an expression with.
    for _ in range(100):
        if box.evaluate("each => each.scrollLeft"):
            return
        page.wait_for_timeout(50)
    pytest.fail("it did not scroll")


def test_paper_has_everything_and_no_navigation(sink_site, visit):
    page = visit().open(sink_site.url + "index.html")
    page.emulate_media(media="print", color_scheme="dark")
    for selector in (".top", "nav.contents", "nav.outline", ".actions", ".neighbors"):
        expect(page.locator(selector).first).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 31, 36)"
    after = "getComputedStyle(document.querySelector('main p a[href^=http]'), '::after').content"
    assert "https://example.org/" in page.evaluate(after)
    assert page.pdf().startswith(b"%PDF")


def test_the_whole_book_is_on_one_page(site, visit):
    page = visit().open(site.url + "book.html")
    articles = page.locator("main > article")
    assert articles.count() == len(site.pages)
    lost = page.evaluate(
        """() => [...document.querySelectorAll('a[href^="#"]')]
          .filter((each) => !document.getElementById(decodeURIComponent(each.hash.slice(1))))
          .map((each) => each.outerHTML)"""
    )
    assert lost == []
    broken = "[...document.images].filter((each) => each.complete && !each.naturalWidth).length"
    page.wait_for_load_state("networkidle")
    assert page.evaluate(broken) == 0
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
    assert len(ids) == len(set(ids))


def test_the_page_for_addresses_without_a_page_works_at_any_depth(sink_site, visit):
    page = visit().open(sink_site.url + "404.html")
    links = page.evaluate("[...document.links].map((each) => each.href)")
    assert "https://example.org/a/book/blocks.html" in links
    assert "https://example.org/a/book/" in links
    assert page.evaluate("getComputedStyle(document.body).maxWidth") != "none"
