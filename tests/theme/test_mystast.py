"""The tree becomes HTML that says all of it and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from tests.theme.sink import RED_SQUARE
from theme import mystast
from theme.markup import el
from theme.mystast import RENDERERS, article, render

# Well-formed XML has no control characters, and HTML5 parsers normalize these away.
TEXT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1
)
HOSTILE = st.one_of(
    TEXT, st.sampled_from(["</p><script>x()</script>", '"><img onerror=x>', "&lt;"])
)


def texts():
    return st.builds(lambda value: {"type": "text", "value": value}, HOSTILE)


def parents(*types: str, **keys):
    return lambda inner: st.builds(
        lambda name, children: {"type": name, "children": children, **keys},
        st.sampled_from(types),
        st.lists(inner, min_size=1, max_size=3),
    )


PHRASES = st.recursive(
    texts(), parents("emphasis", "strong", "delete", "subscript", "span", "keyboard"), max_leaves=6
)


def titled(type_: str, name: str, **keys):
    """Boxes with a title."""
    return lambda inner: st.builds(
        lambda title, children: {
            "type": type_,
            "children": [{"type": name, "children": title}, *children],
            **keys,
        },
        st.lists(PHRASES, min_size=1, max_size=2),
        st.lists(inner, max_size=2),
    )


def rows(inner, *types: str):
    """Things that contain one thing after the other, like tables: the outermost type first."""
    for name in reversed(types):
        inner = parents(name)(inner)
    return inner


CODE_BLOCKS = st.builds(
    # HTML leaves out the first newline of <pre>; MyST and we leave out the last one.
    lambda value, lang, numbered: {
        "type": "code",
        "value": value.strip("\n") or "x",
        "lang": lang,
        "showLineNumbers": numbered,
    },
    HOSTILE,
    st.sampled_from(["python", "bash", "html", None]),
    st.booleans(),
)
BLOCKS = st.recursive(
    parents("paragraph")(PHRASES) | CODE_BLOCKS,
    lambda inner: st.one_of(
        parents("blockquote", "div", "root", "details", "grid", "include")(inner),
        titled("admonition", "admonitionTitle", kind="note")(inner),
        titled("admonition", "admonitionTitle", kind="tip", **{"class": "dropdown"})(inner),
        titled("solution", "admonitionTitle")(inner),
        titled("card", "cardTitle")(inner),
        parents("listItem")(inner).map(lambda item: {"type": "list", "children": [item]}),
        rows(PHRASES, "table", "tableRow", "tableCell"),
        rows(PHRASES, "definitionList", "definitionTerm"),
        parents("container", kind="figure")(inner),
    ),
    max_leaves=8,
)


def words(node: dict) -> str:
    return node.get("value", "") + "".join(map(words, node.get("children", ())))


def kinds(node: dict) -> int:
    """How many elements the tree may become at most: three a node, one a piece of code."""
    own = 3 + len(node["value"]) if node["type"] == "code" else 3
    return own + sum(map(kinds, node.get("children", ())))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tree=BLOCKS)
def test_any_tree_becomes_well_formed_html_with_its_text_and_no_other_element(tree, make_page):
    rendered = render(tree, make_page())
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    fragment = parser.parseFragment(str(rendered))
    assert "".join(fragment.itertext()) == words(tree)
    assert not [e.tag for e in fragment.iter() if e.tag in ("script", "img")]
    elements = [e for e in fragment.iter() if isinstance(e.tag, str) and e is not fragment]
    assert len(elements) <= kinds(tree)


@given(value=HOSTILE)
def test_hostile_attributes_stay_attributes(value):
    element = lxml_html.fragment_fromstring(str(el("a", "text", title=value, href="#x")))
    assert dict(element.attrib) == {"title": value, "href": "#x"}


OUTPUT = {"type": "output"}
CODE = {"type": "code", "lang": "python", "value": "x = 1"}


def shown(data: dict, metadata: dict | None = None) -> dict:
    bundle = {mime: {"content_type": mime, **item} for mime, item in data.items()}
    record = {"output_type": "display_data", "data": bundle, "metadata": metadata or {}}
    return {"type": "output", "jupyter_data": record}


SCRIPT = '<svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>'
FILES = {
    "/a.svg": b"<svg/>",
    "/script.svg": SCRIPT.encode(),
    "/malformed.SVG": b"<svg><g></svg>",
    "/broken.png": b"\x89PNG\r\n\x1a\n",
    "/empty.png": b"",
    "/pieces.mjs": b'import { a } from "./parts.mjs";',
}
LOST = {
    "an unknown node type": ({"type": "hologram", "depth": 3}, r"'hologram' \(keys: depth\)"),
    "an unknown directive": (
        {"type": "mystDirective", "name": "toggle"},
        r"\{toggle\}: there is no",
    ),
    "tabs without a tab": ({"type": "tabSet", "children": []}, "has no tabs"),
    "a directive that MyST refused": (
        {"type": "mystDirectiveError", "name": "math", "message": "no body"},
        r"\{math\}: no body",
    ),
    "an image that could not be had": (
        {"type": "image", "url": "/undefined", "urlSource": "https://x.org/a.png", "alt": "A"},
        r"the file https://x\.org/a\.png is missing",
    ),
    "an image without description": (
        {"type": "image", "url": "/a.svg", "urlSource": "figures/a.svg"},
        r"figures/a\.svg has no description",
    ),
    "an image of another host": (
        {"type": "image", "url": "https://x.org/a.png", "alt": "A"},
        "not in the book",
    ),
    "a missing image": ({"type": "image", "url": "/b.svg", "alt": "B"}, r"/b\.svg is missing"),
    "a drawing with a script": (
        {"type": "image", "url": "/script.svg", "alt": "A"},
        r"the drawing script\.svg has the element <script>",
    ),
    "a drawing with a script to download": (
        {"type": "link", "url": "/script.svg", "static": True, "children": [{"type": "break"}]},
        r"the drawing script\.svg has the element <script>",
    ),
    "a drawing with a script in a widget": (
        {"type": "anywidget", "esm": "/script.svg"},
        r"the drawing script\.svg has the element <script>",
    ),
    "a widget in pieces": (
        {"type": "anywidget", "esm": "/pieces.mjs"},
        r"pieces\.mjs imports \./parts\.mjs: it must be one file",
    ),
    "a figure without a still picture": (
        shown({"application/vnd.afm+json": {"content": {"name": "n", "esm": "", "model": {}}}}),
        "the figure n has no still picture",
    ),
    "an embedded thing that is not there": (
        {"type": "embed", "source": {"label": "net"}},
        r"\{embed\} shows nothing: is there a 'net'",
    ),
    "a drawing with a script in an output": (
        shown({"image/svg+xml": {"content": SCRIPT}}, {"alt": "A"}),
        r"the drawing intro\.svg has the element <script>",
    ),
    "a drawing that is malformed": (
        {"type": "image", "url": "/malformed.SVG", "alt": "A"},
        r"the drawing malformed\.SVG is malformed",
    ),
    "a broken photograph": (
        {"type": "image", "url": "/broken.png", "alt": "A"},
        r"the image broken\.png is broken",
    ),
    "an empty photograph": ({"type": "image", "url": "/empty.png", "alt": "A"}, "is broken"),
    "a broken photograph in an output": (
        shown({"image/png": {"content": "iVBORw0KGgo="}}, {"alt": "A"}),
        r"the image intro\.png is broken",
    ),
    "an output in base64 that is none": (
        shown({"image/png": {"content": "x"}}, {"alt": "A"}),
        r"the image intro\.png is broken",
    ),
    "a width that is none": (
        {"type": "image", "url": "/a.svg", "alt": "A", "width": "50 vx"},
        r"the width '50 vx' is not a length",
    ),
    "a height that is none": (
        {"type": "image", "url": "/a.svg", "alt": "A", "height": "auto;color:red"},
        r"the height 'auto;color:red' is not a length",
    ),
    "a note in another cell": (
        {"type": "text", "value": "A claim[^a] here."},
        r"\[\^a\] has no text",
    ),
    "a link to data": (
        {"type": "link", "url": "data:text/html,x", "children": [{"type": "break"}]},
        "the link to data:text/html,x leads neither",
    ),
    "a reference into another book that is a program": (
        {
            "type": "crossReference",
            "html_id": "a",
            "resolved": True,
            "remote": True,
            "remoteBaseUrl": "javascript:x()//",
            "url": "/a",
            "children": [{"type": "span", "html_id": "a", "children": []}, {"type": "break"}],
        },
        "the link to javascript:x.* leads neither",
    ),
    "a refused formula": (
        {"type": "math", "value": r"\frac{", "error": True, "message": "Expected '}'"},
        r"Expected '}'",
    ),
    "an output nobody can show": (shown({"application/x-a": {"content": ""}}), "application/x-a"),
    "an output of nothing": (shown({}), "nothing"),
    "a figure without description": (
        shown({"image/svg+xml": {"content": "<svg/>"}}),
        "description",
    ),
    "HTML of scripts alone": (shown({"text/html": {"content": "<script>1</script>"}}), "scripts"),
    "a link in a Markdown output": (shown({"text/markdown": {"content": "[x](a.md)"}}), r"a\.md"),
    "a dead link": ({"type": "link", "url": "/nowhere", "children": []}, "/nowhere leads neither"),
    "a script as link": ({"type": "link", "url": "javascript:x()", "children": []}, "javascript"),
    "a lost reference": (
        {"type": "crossReference", "label": "fig", "identifier": "fig", "children": []},
        "'fig' leads nowhere",
    ),
    "a link without text": (
        {"type": "link", "url": "https://x.org", "children": []},
        r"https://x\.org has no text",
    ),
    "a reference without text": (
        {
            "type": "span",
            "html_id": "fig",
            "children": [
                {"type": "crossReference", "label": "fig", "html_id": "fig", "resolved": 1}
            ],
        },
        "'fig' has no text",
    ),
    "a link to nothing on its page": (
        {
            "type": "root",
            "children": [{"type": "link", "url": "#gone", "children": [{"type": "break"}]}],
        },
        "a link leads to 'gone', but nothing",
    ),
    "a lost footnote": ({"type": "footnoteReference", "identifier": "n"}, "'n' has no text"),
    "a label given twice": (
        {"type": "root", "children": [{"type": "span", "html_id": "twice", "children": []}] * 2},
        "2 things are labeled 'twice'",
    ),
    "an expression without value": ({"type": "inlineExpression", "value": "a+1"}, "'a\\+1' has no"),
}


@pytest.mark.parametrize(("node", "message"), LOST.values(), ids=LOST)
def test_what_a_reader_would_miss_is_a_problem_with_its_place(node, message, make_page):
    page = make_page(FILES)
    node = {**node, "position": {"start": {"line": 3}}}
    cell = {"type": "block", "kind": "notebook-content", "identifier": "intro", "children": [node]}
    article({"mdast": {"type": "root", "children": [cell]}}, page)
    assert len(page.problems) == 1
    problem = str(page.problems[0])
    assert problem.startswith("content/one.ipynb")
    assert re.search(message, problem)
    if node["type"] not in ("footnoteReference", "root"):  # known only when the page ends
        assert "cell intro, line 3" in problem


def parse(markup) -> lxml_html.HtmlElement:
    return lxml_html.fragment_fromstring(str(markup), create_parent="main")


def test_a_drawing_has_a_twin_for_the_dark_page(make_page, tmp_path, drawing):
    page = make_page({"/net-0123456789abcdef0123456789abcdef.svg": drawing.encode()})
    node = {"type": "image", "url": "/net-0123456789abcdef0123456789abcdef.svg", "alt": "Net"}
    light, dark = parse(render(node, page)).iter("img")
    assert (light.get("class"), dark.get("class")) == ("for-light", "for-dark")
    for img in (light, dark):
        assert (img.get("alt"), img.get("width"), img.get("height")) == ("Net", "40", "20")
        assert img.get("src").startswith("../assets/net")
    files = [(tmp_path / img.get("src").removeprefix("../")).read_text() for img in (light, dark)]
    assert files[0] == drawing
    assert "#ffffff" not in files[1] and "#1b1f24" not in files[1]


def test_the_richest_output_is_shown_and_widgets_are_left_out(make_page):
    html, plain = {"content": "<b>rich</b>"}, {"content": "plain"}
    page = make_page()
    assert parse(render(shown({"text/plain": plain, "text/html": html}), page)).xpath("//b")
    assert not parse(render(shown({"text/plain": plain}), page)).xpath("//b")
    widget = {"application/vnd.jupyter.widget-view+json": {"content": "{}"}, "text/plain": plain}
    assert render(shown(widget), page) == ""
    assert not page.problems


def test_a_figure_is_shown_as_picture_with_its_description(make_page, drawing):
    data = {"image/svg+xml": {"content": drawing}, "text/html": {"content": "<img alt=no>"}}
    page = make_page()
    images = list(parse(render(shown(data, {"image/svg+xml": {"alt": "It falls."}}), page)))
    assert [img.get("alt") for img in images] == ["It falls.", "It falls."]
    assert not page.problems


@pytest.mark.parametrize(
    ("width", "style"),
    [
        ("300", "width:300px"),
        (300, "width:300px"),
        ("300.5", "width:300.5px"),
        ("50vw", "width:50vw"),
        ("20 mm", "width:20mm"),
        ("33.3%", "width:33.3%"),
        (None, None),
    ],
)
def test_a_picture_is_as_wide_as_its_author_wants(width, style, make_page, drawing):
    page = make_page({"/a.svg": drawing.encode()})
    node = {"type": "image", "url": "/a.svg", "alt": "A", "width": width}
    assert {img.get("style") for img in parse(render(node, page)).iter("img")} == {style}
    high = parse(render({**node, "height": "4em"}, page)).find(".//img").get("style")
    assert high == (f"{style};height:4em" if style else "height:4em;width:auto")
    assert not page.problems


def test_long_outputs_come_from_their_file(make_page):
    page = make_page({"/long.txt": b"the whole of it"})
    rendered = render(shown({"text/plain": {"path": "/long.txt"}}), page)
    assert "the whole of it" in rendered


def test_markdown_outputs(make_page):
    source = (
        "After **32** epochs, `1e-13`; [here](#a).\n\n| n | e |\n|--|--:|\n| W | 1 |\n\n<b>x</b>"
    )
    page = make_page()
    found = parse(render(shown({"text/markdown": {"content": source}}), page))
    assert found.xpath("//strong/text()") == ["32"]
    assert found.xpath("//code/text()") == ["1e-13"]
    assert found.xpath("//a/@href") == ["#a"]
    assert found.xpath("//div[@class='scroll']/table//td/text()") == ["W", "1"]
    assert not found.xpath("//b")
    assert not page.problems


def test_formulas_in_markdown_outputs(make_page):
    page = make_page()
    source = (
        "So $\\frac{1}{2} < x$, not `$y$`, \\$3 or $4 and $5.\n\n$$\na % of it\n+ b\n$$\n\n"
        "```\n$$\nz\n$$\n```\n\n"
        "| $n$ |\n|--|\n| $$m$$ |"
    )
    found = parse(render(shown({"text/markdown": {"content": source}}), page))
    assert found.xpath("//annotation/text()") == [r"\frac{1}{2} < x", "a % of it\n+ b", "n", "m"]
    assert found.xpath("count(//div[@class='math']/div/span[@class='katex-display'])") == 1
    assert found.xpath("//pre/code/text()") == ["$$\nz\n$$\n"]
    assert found.xpath("//p/code/text()") == ["$y$"]
    assert "$3 or $4 and $5." in found.text_content()
    assert page.features == {"math"} and not page.problems
    page.cell = "losses"
    render(shown({"text/markdown": {"content": "$\\frac{1$"}}), page)
    assert re.search(
        r"^content/one\.ipynb, cell losses: KaTeX refused .*frac", str(page.problems[0])
    )


def test_scripts_and_handlers_of_foreign_html_are_dropped(make_page):
    source = '<div onclick="x()" style="position:fixed"><script>x()</script><p>kept'
    rendered = render({"type": "html", "value": source}, make_page())
    assert "kept" in rendered
    assert not any(word in rendered for word in ("script", "onclick", "fixed", "x()"))


def test_streams_are_told_apart_by_words(make_page):
    page = make_page()
    for name, expected in {"stdout": [], "stderr": ["standard error"]}.items():
        data = {"output_type": "stream", "name": name, "text": "text\n"}
        found = parse(render({"type": "output", "jupyter_data": data}, page))
        assert found.xpath("//span/text()") == expected


@pytest.mark.parametrize("visibility", ["show", "hide", "remove"])
def test_inputs_and_outputs_are_shown_folded_or_left_out(visibility, make_page):
    out = {"type": "outputs", "children": [shown({"text/plain": {"content": "OUT"}})]}
    for folded, marker in ((0, "x = 1"), (1, "OUT")):
        children = [dict(CODE), dict(out)]
        children[folded]["visibility"] = visibility
        cell = {"type": "block", "kind": "notebook-code", "identifier": "c", "html_id": "c"}
        found = parse(render({**cell, "children": children}, make_page()))
        assert found.xpath("//div[@id='c']")
        inside = found.xpath("//details")
        assert (marker in found.text_content()) == (visibility != "remove")
        assert bool(inside) == (visibility == "hide")
        assert all(marker in details.text_content() for details in inside)


def test_links_lead_to_files_from_where_the_page_stands(make_page):
    page = make_page({"/data-0123456789abcdef0123456789abcdef.csv": b"1"})

    def href(**keys) -> str:
        text = {"type": "text", "value": "there"}
        return parse(render({"type": "link", "children": [text], **keys}, page)).xpath("//@href")[0]

    assert href(url="/two") == "../two.html"
    assert href(url="/") == "../index.html"
    assert href(url="/part") == "index.html"
    assert href(url="/two#a b") == "../two.html#a%20b"
    assert href(url="https://x.org/?a=1&b=2") == "https://x.org/?a=1&b=2"
    static = href(url="/data-0123456789abcdef0123456789abcdef.csv", static=True)
    assert static.startswith("../assets/data.") and static.endswith(".csv")
    reference = {"type": "crossReference", "html_id": "eq", "resolved": True}
    assert href(**reference) == "#eq"
    assert href(**reference, remote=True, url="/two") == "../two.html#eq"
    assert not page.problems


def test_footnotes_are_numbered_once_and_linked_both_ways(make_page):
    text = {"type": "text", "value": "the note"}
    reference = {"type": "footnoteReference", "identifier": "n", "enumerator": "1"}
    definition = {"type": "footnoteDefinition", "identifier": "n", "children": [text]}
    tree = {"type": "root", "children": [reference, definition, reference]}
    found = parse(article({"mdast": tree}, make_page()))
    ids = found.xpath("//@id")
    assert len(ids) == len(set(ids)) == 3
    assert all(target.lstrip("#") in ids for target in found.xpath("//a/@href"))
    assert found.xpath("count(//section//li)") == 1


def test_footnotes_stand_by_their_numbers_also_those_of_footnotes(make_page):
    def reference(name: str) -> dict:
        return {"type": "footnoteReference", "identifier": name, "enumerator": numbers[name]}

    def definition(name: str, *inside: dict) -> dict:
        keys = {"identifier": name, "enumerator": numbers[name]}
        text = {"type": "text", "value": f"note {name}"}
        return {"type": "footnoteDefinition", **keys, "children": [text, *inside]}

    numbers = {"a": "9", "b": "1", "c": "2"}
    notes = [definition("a"), definition("b", reference("c"), reference("b")), definition("c")]
    tree = {"type": "root", "children": [reference("a"), *notes, reference("b")]}
    page = make_page()
    found = parse(article({"mdast": tree}, page))
    assert found.xpath("//section//li/@value") == ["1", "2", "9"]
    assert found.xpath("//section//li/@id") == ["fn-b", "fn-c", "fn-a"]
    assert not page.problems


@pytest.mark.parametrize("kind", ["exercise", "solution"])
def test_what_its_author_hides_is_not_shown(kind, make_page):
    node = {"type": kind, "children": [{"type": "text", "value": "Here."}]}
    assert "Here." in render(node, make_page())
    assert render({**node, "hidden": True}, make_page()) == ""


def test_the_outline_has_the_headings_without_their_links(make_page):
    page = make_page()
    link = {"type": "link", "url": "/two", "children": [{"type": "text", "value": "<two>"}]}
    render({"type": "heading", "depth": 2, "html_id": "h", "children": [link]}, page)
    assert page.outline == [(2, "h", "&lt;two&gt;")]


def test_each_set_of_tabs_is_a_group_of_its_own(make_page):
    item = {"type": "tabItem", "title": "T", "children": []}
    sets = [{"type": "tabSet", "children": [item, dict(item)]}] * 2
    found = parse(render({"type": "root", "children": sets}, make_page()))
    names = found.xpath("//details/@name")
    assert names[0] == names[1] != names[2] == names[3]
    assert len(found.xpath("//details[@open]")) == 2


def test_formulas_from_code_are_rendered(make_page):
    page = make_page()
    found = parse(render(shown({"text/latex": {"content": "$\\frac{1}{2}$"}}), page))
    assert found.findtext(".//annotation") == r"\frac{1}{2}"
    assert page.features == {"math"} and not page.problems
    render(shown({"text/latex": {"content": "$\\frac{1$"}}), page)
    assert "KaTeX refused" in str(page.problems[0])


def test_a_frame_becomes_a_link_and_asks_nobody(make_page):
    page = make_page()
    node = {"type": "iframe", "src": "https://x.org/v?a=1&b=2", "title": "<V>", "children": []}
    found = parse(render(node, page))
    assert found.xpath("//a/@href") == ["https://x.org/v?a=1&b=2"]
    assert not found.xpath("//iframe | //img")
    render({**node, "src": "javascript:x()"}, page)
    assert "javascript" in str(page.problems[0])


def test_a_widget_carries_its_module_and_model(make_page, tmp_path):
    page = make_page({"/w-0123456789abcdef0123456789abcdef.mjs": b"export default {}"})
    node = {"type": "anywidget", "esm": "/w-0123456789abcdef0123456789abcdef.mjs"}
    model = {"text": '"><script>'}
    (box,) = parse(render({**node, "model": model}, page)).xpath("//div[@class='widget']")
    assert json.loads(box.get("data-model")) == model
    assert (tmp_path / box.get("data-esm").removeprefix("../")).read_bytes()
    assert page.features == {"widget"}
    render({**node, "esm": "https://x.org/w.mjs"}, page)
    assert "not in the book" in str(page.problems[0])


def played(esm: str, model: dict, **other: object) -> dict:
    """An output that brings its widget along, as tools/play.py displays it."""
    data = {"content": {"name": "net", "esm": esm, "model": model}}
    return shown({"application/vnd.afm+json": data, **other}, {"alt": "A still."})


def test_an_output_brings_its_widget_and_a_still_picture(make_page, tmp_path, drawing):
    page = make_page()
    still = {"image/svg+xml": {"content": drawing}}
    module = "export const heights = [700, 400];\nexport default {}"
    small, large = {"n": 1}, {"n": list(range(1000))}
    nodes = [played(module, model, **still) for model in (small, large)]
    boxes = parse(render({"type": "root", "children": nodes}, page)).xpath("//*[@data-widget]")

    def file(box, key):
        return (tmp_path / box.get(f"data-{key}").removeprefix("../")).read_text()

    assert [file(box, "esm") for box in boxes] == [module] * 2
    assert json.loads(boxes[0].get("data-model")) == small
    assert json.loads(file(boxes[1], "values")) == large
    assert boxes[1].get("data-model") is None
    for box in boxes:
        assert [img.get("alt") for img in box.xpath("div[@class='still']/img")] == ["A still."] * 2
        assert box.get("style") == "--narrow:700px;--wide:400px"
    assert not page.problems


def test_a_large_output_comes_from_a_file(make_page, drawing):
    data = {"name": "net", "esm": "export default {}", "model": {"n": 1}}
    page = make_page({"/0123.json": json.dumps(data).encode()})
    node = played("", {}, **{"image/svg+xml": {"content": drawing}})
    node["jupyter_data"]["data"]["application/vnd.afm+json"] = {
        "content_type": "application/vnd.afm+json",
        "path": "/0123.json",
    }
    (box,) = parse(render(node, page)).xpath("//*[@data-widget]")
    assert json.loads(box.get("data-model")) == {"n": 1}


def test_tables_have_heads_and_alignment(make_page):
    def row(*cells, **keys):
        texts = [[{"type": "text", "value": cell}] for cell in cells]
        cells = [{"type": "tableCell", "children": text, **keys} for text in texts]
        return {"type": "tableRow", "children": cells}

    table = {
        "type": "table",
        "children": [row("a", "b", header=True), row("1", "2", align="right")],
    }
    found = parse(render(table, make_page()))
    assert found.xpath("//thead//th/text()") == ["a", "b"]
    assert found.xpath("//tbody//td[@class='align-right']/text()") == ["1", "2"]
    table["children"][0] = row("", "", header=True)
    assert not parse(render(table, make_page())).xpath("//thead")


def test_a_node_type_has_one_function():
    with pytest.raises(ValueError, match="'paragraph'"):
        mystast.renders("paragraph")(RENDERERS["text"])


# What a node of each type needs besides the class that its author gives it.
WITH_CLASS = {
    "abbreviation": {},
    "anywidget": {},
    "blockquote": {},
    "admonition": {"kind": "note"},
    "card": {},
    "code": {"value": "x"},
    "container": {},
    "crossReference": {"html_id": "a", "resolved": True},
    "details": {},
    "div": {},
    "glossary": {},
    "grid": {},
    "heading": {"depth": 2, "html_id": "h"},
    "iframe": {"src": "https://x.org", "children": []},
    "image": {"url": "/a.svg", "alt": "A"},
    "inlineCode": {"value": "x"},
    "link": {"url": "/two"},
    "list": {"ordered": True, "children": []},
    "listItem": {},
    "math": {"html": "x"},
    "paragraph": {},
    "span": {},
    "table": {},
    "tableCell": {},
    "tabItem": {"title": "T"},
    "tabSet": {"children": [{"type": "tabItem", "children": []}]},
}


@pytest.mark.parametrize("type_", WITH_CLASS)
def test_the_author_s_class_is_kept(type_, make_page):
    children = [{"type": "text", "value": "x"}]
    node = {"type": type_, "class": "mine", "children": children, **WITH_CLASS[type_]}
    if type_ == "tabItem":
        node = {"type": "tabSet", "children": [node]}
    assert parse(render(node, make_page(FILES))).xpath("//*[contains(@class, 'mine')]")


@pytest.mark.parametrize("label", ["Knuth1968", "knuth1968", "smith_X:2", "Müller2020"])
def test_a_citation_finds_its_work_whatever_capitals_its_key_has(label, make_page):
    """MyST makes an identifier of the key, without capitals, and keeps the key as the label."""
    page = make_page()
    node = {"type": "cite", "label": label, "identifier": label.lower(), "kind": "narrative"}
    work = {"label": label, "html": "<i>A book</i>"}
    cited = {"cite": {"order": [label], "data": {label: work}}}
    found = parse(article({"mdast": node, "references": cited}, page))
    (target,) = found.xpath("//a[@class='citation']/@href")
    assert found.xpath("//li/@id") == [target.lstrip("#")]
    assert not page.problems


RAW = [
    {"output_type": "stream", "name": "stdout", "text": ["SAID\n", "twice\n"]},
    {"output_type": "display_data", "data": {"text/plain": ["SAID\n", "twice"]}, "metadata": {}},
    {"output_type": "display_data", "data": {"text/html": ["<b>", "SAID</b>"]}, "metadata": {}},
    {"output_type": "display_data", "data": {"text/latex": ["$SAID", "$"]}, "metadata": {}},
    {"output_type": "display_data", "data": {"text/markdown": ["SA", "ID"]}, "metadata": {}},
    {"output_type": "error", "ename": "E", "evalue": "v", "traceback": ["SAID", "here"]},
    {
        "output_type": "display_data",
        "data": {"application/json": {"a": 1}, "text/plain": "SAID"},
        "metadata": {},
    },
    {
        "output_type": "display_data",
        "data": {"image/svg+xml": ["<svg>", "</svg>"]},
        "metadata": {"image/svg+xml": {"alt": "SAID"}},
    },
    {
        "output_type": "display_data",
        "data": {"image/png": [RED_SQUARE[:20] + "\n", RED_SQUARE[20:]]},
        "metadata": {"image/png": {"alt": "SAID"}},
    },
]


@pytest.mark.parametrize("data", RAW, ids=lambda data: "+".join(data.get("data", data)))
def test_outputs_may_be_as_the_notebook_has_them(data, make_page):
    """So MyST leaves those that it does not look at."""
    page = make_page()
    node = {"type": "outputs", "children": [{"type": "output", "jupyter_data": data}]}
    assert "SAID" in render(node, page).replace("</mi><mi>", "")
    assert not page.problems


@pytest.mark.parametrize("kind", ["code", "outputs"])
def test_what_is_removed_is_not_rendered(kind, make_page):
    """Nobody misses anything in it, so it is no problem either."""
    page = make_page()
    removed = {"type": kind, "visibility": "remove", "children": [{"type": "hologram"}]}
    cell = {"type": "block", "kind": "notebook-code", "identifier": "c", "children": [removed]}
    assert "hologram" not in render(cell, page)
    assert render({**cell, "visibility": "remove", "children": [{"type": "hologram"}]}, page) == ""
    assert not page.problems


def said(text: str, name: str = "stdout") -> dict:
    data = {"output_type": "stream", "name": name, "text": text}
    return {"type": "output", "jupyter_data": data}


def test_what_a_stream_writes_in_pieces_is_shown_in_one(make_page):
    page = make_page({"/long.txt": b"the end\n"})
    long = said("the \u2026")
    long["jupyter_data"]["path"] = "/long.txt"
    pieces = [said("training "), said("done\n"), said("\r 5%", "stderr"), said("\r100%", "stderr")]
    tree = {
        "type": "outputs",
        "children": [*pieces, said("after "), long, said("\r  \r", "stderr")],
    }
    found = parse(render(tree, page))
    assert [box.text for box in found.iter("pre")] == ["training done", "100%", "after the end"]
    assert found.xpath("//span/text()") == ["standard error"]


@given(pieces=st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), TEXT), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_neighboring_boxes_are_of_different_streams(pieces, make_page):
    tree = {"type": "outputs", "children": [said(text, name) for name, text in pieces]}
    found = parse(render(tree, make_page()))
    names = [box.get("class") for box in found.iter("pre")]
    written = [name for name, text in pieces if text.strip()]
    assert set(names) == set(written)
    if all(text.strip() for _, text in pieces):
        assert all(a != b for a, b in zip(names, names[1:], strict=False))


def test_cells_need_no_id_to_be_folded(make_page):
    """Notebooks of nbformat 4.4 have none, nor have cells on Markdown pages."""
    out = {"type": "outputs", "children": [said("OUT")], "visibility": "hide"}
    cell = {"type": "block", "kind": "notebook-code"}
    hidden = {**CODE, "visibility": "remove"}
    found = parse(render({**cell, "children": [hidden, out]}, make_page()))
    assert found.xpath("//details//pre/text()") == ["OUT"]
    assert not found.xpath("//code")


@pytest.mark.parametrize(
    ("source", "text", "formulas"),
    [
        (
            r"The loss is $L = 3$ after \(10\) epochs.",
            "The loss is  after  epochs.",
            ["L = 3", "10"],
        ),
        (r"\[ x^2 \]", "", ["x^2"]),
        (r"$$ x^2 $$", "", ["x^2"]),
        (r"$\displaystyle \loss = 3$", "", [r"\displaystyle \loss = 3"]),
        (r"\begin{aligned} a \\[2pt] b \end{aligned}", "", None),
        (r"First \[a\] then <b>.", "First  then <b>.", ["a"]),
    ],
)
def test_latex_outputs_are_formulas_or_sentences_with_formulas(source, text, formulas, make_page):
    page = make_page()
    front = {"math": {r"\loss": {"macro": r"\mathcal{L}"}}}
    found = parse(
        article({"mdast": shown({"text/latex": {"content": source}}), "frontmatter": front}, page)
    )
    assert found.xpath("//annotation/text()") == (formulas or [source])
    for formula in found.xpath("//span[@class='katex']"):
        formula.drop_tree()
    assert found.text_content() == text
    assert not page.problems


def test_an_output_that_needs_a_style_to_hide_parts_is_shown_as_text(make_page):
    plain = {"content": "MLPRegressor()"}
    hiding = {
        "content": "<style>#a .b {display: none}</style><p class='b'>To rerun</p>MLPRegressor"
    }
    adorned = {"content": "<style scoped>th {text-align: right}</style><b>frame</b>"}
    page = make_page()
    assert (
        render(shown({"text/html": hiding, "text/plain": plain}), page)
        == "<pre>MLPRegressor()</pre>"
    )
    assert "<b>frame</b>" in render(shown({"text/html": adorned, "text/plain": plain}), page)


@pytest.mark.parametrize(
    "html",
    [
        '<a href="data:text/html,x">a</a>',
        '<a href=" DATA:text/html,x">a</a>',
        '<a href="data:image/png;base64,x">a</a>',
        '<q cite="data:text/html,x">a</q>',
        '<img src="data:text/html,x">',
        '<a href="javascript:x()">a</a>',
    ],
)
def test_foreign_html_has_data_in_pictures_only(html, make_page):
    rendered = render(shown({"text/html": {"content": f"{html}<p>kept"}}), make_page())
    assert "kept" in rendered
    assert not re.search("data:|javascript:", rendered, re.IGNORECASE)
    picture = '<img src="data:image/png;base64,AAAA" alt="A">'
    assert picture in render({"type": "html", "value": picture}, make_page())


OURS = re.compile(r"document\s*\.querySelector(?:All)?\(\s*(['\"`])(.*?)\1")


def test_nobody_else_can_take_the_behaviours_of_our_scripts(make_page):
    """A script finds on a page only what has an attribute that no author and no library can set."""
    attributes = set()
    for script in sorted(Path(mystast.__file__).parents[1].glob("static/*.js")):
        for _, selector in OURS.findall(script.read_text()):
            if selector.startswith(("button.", "dialog.", "nav[popover].")):  # never foreign
                continue
            if selector == "pre, .scroll":  # whatever scrolls can be scrolled with the keyboard
                continue
            assert re.fullmatch(r"\[data-\w+\]", selector), f"{script.name}: {selector}"
            attributes.add(selector[1:-1])
    assert attributes == {"data-code", "data-preview", "data-tabs", "data-widget"}
    html = "".join(f'<a class="widget tabs code reference" {name}="">x</a>' for name in attributes)
    html += "<button class='search'>x</button><dialog class='searching'>x</dialog>"
    html += "<nav class='outline' popover><a href='#a'>x</a></nav>"
    page = make_page()
    for node in (shown({"text/html": {"content": html}}), {"type": "html", "value": html}):
        found = parse(render(node, page))
        assert not found.xpath("//@*[starts-with(name(), 'data-')]")
        assert not found.xpath("//button | //dialog | //nav[@popover]")
