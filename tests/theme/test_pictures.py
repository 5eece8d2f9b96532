"""Images know their size; drawings swap their neutral colors and nothing else."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot
from PIL import Image

from theme import pictures


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ('width="40" height="20"', (40, 20)),
        ('width="72pt" height="36pt" viewBox="0 0 1 1"', (96, 48)),
        ('viewBox="0 0 300 150"', (300, 150)),
        ('width="100%" height="100%" viewBox="0,0,300,150"', (300, 150)),
        ("", None),
    ],
)
def test_size_of_drawings(attributes, expected):
    assert (
        pictures.size(f"<?xml?><svg {attributes}><rect width='9'/></svg>".encode(), ".svg")
        == expected
    )


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
def test_size_of_photographs(kind):
    file = io.BytesIO()
    Image.new("RGB", (7, 5)).save(file, kind)
    assert pictures.size(file.getvalue(), f".{kind}") == (7, 5)
    assert pictures.size(b"no image", f".{kind}") is None


PALETTE = {"#1b1f24": "#e6edf3", "#ffffff": "#0f1318"}


def test_the_dark_variant_swaps_the_neutral_colors_in_any_case(drawing):
    drawing = drawing.replace("#1b1f24", "#1B1F24") + "#0969da"
    dark = pictures.dark_variant(drawing, PALETTE)
    back = {swapped: color for color, swapped in PALETTE.items()}
    for swapped, color in back.items():
        dark = dark.replace(swapped, color)
    assert dark == drawing.replace("#1B1F24", "#1b1f24")


def test_a_drawing_without_neutral_colors_has_no_twin():
    assert pictures.dark_variant('<svg><path fill="#0969da"/></svg>', PALETTE) is None


@pytest.mark.parametrize(
    "attributes",
    ['width="1.2.3" height="2"', 'viewBox="0 0 a b"', 'viewBox="0 0 nan inf"', 'width="1e999px"'],
)
def test_a_size_that_is_none_is_none(attributes):
    assert pictures.size(f"<svg {attributes}/>".encode(), ".svg") is None


def test_a_photograph_that_is_cut_off_is_broken():
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(file, "png")
    assert pictures.size(file.getvalue()[:-500], ".png") is None


@pytest.mark.parametrize("color", ['fill="#000"', "stroke='black'", 'style="fill: #000000"'])
def test_a_drawing_in_other_colors_than_the_book_s_is_left_as_it_is(color, drawing):
    """Half of a palette must not be swapped: black on the dark page's paper cannot be read."""
    assert pictures.dark_variant(drawing, PALETTE)
    assert pictures.dark_variant(drawing.replace("<rect", f"<rect {color}"), PALETTE) is None
    assert pictures.dark_variant(drawing.replace("#1b1f24", "#123456"), PALETTE) is None


SVG = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
HARMFUL = {
    "script": "<script>x()</script>",
    "script by prefix": '<s:script xmlns:s="http://www.w3.org/2000/svg">x()</s:script>',
    "script of HTML": '<h:script xmlns:h="http://www.w3.org/1999/xhtml">x()</h:script>',
    "frame of HTML": '<iframe xmlns="http://www.w3.org/1999/xhtml" src="a.html"/>',
    "foreign object": "<foreignObject><p/></foreignObject>",
    "handler": '<rect onclick="x()"/>',
    "handler set later": '<rect><set attributeName="onclick" to="x()"/></rect>',
    "link": '<a href="https://x.org"><rect/></a>',
    "program": '<a xlink:href="javascript:x()"><rect/></a>',
    "program with a tab": '<a xlink:href="java&#9;script:x()"><rect/></a>',
    "program set later": '<a><animate attributeName="xlink:href" values="#a;javascript:x()"/></a>',
    "link by another prefix": '<a y:href="//x.org" xmlns:y="http://www.w3.org/1999/xlink"/>',
    "image": '<image href="https://x.org/a.png"/>',
    "image beside it": '<image href="a.png"/>',
    "drawing as data": '<image href="data:image/svg+xml,%3Csvg/%3E"/>',
    "page as data": '<a href=" data:text/html,x"/>',
    "base": '<g xml:base="https://x.org/"/>',
    "fill": '<rect fill="url(https://x.org/a.svg#b)"/>',
    "style attribute": """<rect style="fill: URL( 'https://x.org/a.svg#b' )"/>""",
    "escaped style": r'<rect style="fill: \75 rl(https://x.org/a.svg#b)"/>',
    "style": "<style>rect { fill: url(//x.org/a.svg#b) }</style>",
    "style in two parts": "<style>a{fill:u<![CDATA[rl(https://x.org)}]]></style>",
    "import": "<style>@import 'https://x.org/a.css';</style>",
    "escaped import": r"<style>@\69mport 'https://x.org/a.css';</style>",
    "style of many spaces": f"<style>a{{fill:url({' ' * 9999}//x.org)}}</style>",
    "set of images": "<style>a{background:image-set('https://x.org/a.png' 1x)}</style>",
}
HARMFUL = {name: f"<svg {SVG}>{content}</svg>" for name, content in HARMFUL.items()} | {
    "handler of the whole": f'<svg {SVG} onload="x()"/>',
    "entity": f'<!DOCTYPE svg [<!ENTITY e "x">]><svg {SVG}>&e;</svg>',
    "external entity": f'<!DOCTYPE svg [<!ENTITY e SYSTEM "file:///a">]><svg {SVG}>&e;</svg>',
    "default attribute": f'<!DOCTYPE svg [<!ATTLIST svg onload CDATA "x()">]><svg {SVG}/>',
    "another type": f'<!DOCTYPE svg SYSTEM "https://x.org/a.dtd"><svg {SVG}/>',
    "style sheet": f'<?xml-stylesheet href="https://x.org/a.xsl" type="text/xsl"?><svg {SVG}/>',
    "page": '<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
    "malformed": f"<svg {SVG}><g></svg>",
    "nothing": "",
    "text": "no drawing",
    "encoding": '<?xml version="1.0" encoding="no-such"?><svg/>',
}


@pytest.mark.parametrize("source", HARMFUL.values(), ids=HARMFUL)
def test_a_drawing_that_could_do_harm_is_refused(source):
    with pytest.raises(ValueError):
        pictures.check_svg(source.encode())
    if source.isascii() and "<svg" in source and "encoding" not in source:
        with pytest.raises(ValueError):
            pictures.check_svg(source.encode("utf-16"))


HARMLESS = {
    "gradient": '<rect fill="url(#g)" style="filter: url(\'#f\'); mask: url( #m )"/>',
    "parts of its own": '<use href="#a"/><use xlink:href="#b"/>',
    "photograph": '<image href="data:image/png;base64,iVBO\nRw0="/>',
    "font": "<style>@font-face{src:url(data:font/woff2;base64,AAAA)}</style>",
    "text about code": "<text>url(https://x.org) javascript: @import onclick</text>",
    "comment": "<!-- <script>x()</script> https://x.org -->",
    "motion": '<circle><animate attributeName="r" values="1;2"/></circle>',
}


@pytest.mark.parametrize("content", HARMLESS.values(), ids=HARMLESS)
def test_a_harmless_drawing_passes(content):
    pictures.check_svg(f"<svg {SVG}>{content}</svg>".encode())


@pytest.mark.parametrize("fonttype", ["path", "none"])
def test_matplotlib_s_figures_pass(fonttype):
    """They have a document type, and metadata with addresses that nobody asks for."""
    with pyplot.rc_context({"svg.fonttype": fonttype}):
        figure, (left, right) = pyplot.subplots(1, 2)
        left.imshow([[0, 1], [1, 0]])  # an image inside
        right.fill_between([0, 1], [0, 1], hatch="/", label="$x^2$")
        right.legend()
        file = io.BytesIO()
        figure.savefig(file, format="svg")
        pyplot.close(figure)
    assert b"<!DOCTYPE" in file.getvalue() and b"rdf:resource=" in file.getvalue()
    pictures.check_svg(file.getvalue())
    assert pictures.size(file.getvalue(), ".svg") == (614, 461)


NAMES = st.sampled_from(["g", "rect", "style", "text", "a", "script", "image", "metadata"])
KEYS = st.sampled_from(["id", "href", "xlink:href", "style", "onload", "fill", "attributeName"])
VALUES = st.sampled_from(["#a", "x()", "url(#a)", "//x.org", "url(x)", "javascript:x()", "onx"])
ELEMENTS = st.recursive(
    st.just(""),
    lambda inner: st.builds(
        lambda name, key, value, content: f'<{name} {key}="{value}">{content}</{name}>',
        NAMES,
        KEYS,
        VALUES,
        inner,
    ),
)


@given(content=st.lists(ELEMENTS, max_size=4).map("".join))
def test_no_drawing_that_passes_can_run_or_ask_for_anything(content):
    source = f"<svg {SVG}>{content}</svg>"
    try:
        pictures.check_svg(source.encode())
    except ValueError:
        return
    for element in ElementTree.fromstring(source).iter():
        assert "script" not in element.tag
        for key, value in element.items():
            assert not key.startswith("on")
            assert "javascript" not in value
            assert "href" not in key or value.startswith("#")
            assert value != "url(x)"
