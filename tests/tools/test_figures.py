"""Figures carry their description into every host; the palette keeps its contrast."""

import base64
import html
import re

import pytest
from matplotlib.colors import rgb_to_hsv, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from scripts.sources import ROOT, Book
from theme import metadata
from theme.book import palette
from tools import figures

CONTENT, STATIC = ROOT / "content", ROOT / "theme" / "static"
FINDING = "The curve falls < from 1 & reaches zero."


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: a list of (data, metadata)."""
    calls = []

    def display(data, metadata=None, raw=False):
        calls.append((data, metadata))

    monkeypatch.setattr(figures, "display", display)
    return calls


def labeled():
    fig, ax = figures.subplots()
    ax.plot([0, 1], [1, 0], label="a $x^2$")
    ax.set(xlabel="epoch", ylabel="loss", title="title")
    ax.text(0.5, 0.5, "a note")
    ax.legend(title="legend")
    return fig, ax


def test_description_reaches_every_representation(shown):
    fig, _ = labeled()
    figures.show(fig, FINDING)
    ((data, metadata),) = shown
    assert metadata["image/svg+xml"]["alt"] == FINDING == data["text/plain"]
    alt, source = re.search(r'alt="([^"]*)".* src="([^"]*)"', data["text/html"]).groups()
    assert html.unescape(alt) == FINDING
    assert base64.b64decode(source.split(",")[1]).decode() == data["image/svg+xml"]


def test_same_figure_same_bytes(shown):
    for _ in range(2):
        figures.show(labeled()[0], FINDING)
    assert shown[0][0]["image/svg+xml"] == shown[1][0]["image/svg+xml"]


def test_only_known_colors_appear(shown):
    figures.show(labeled()[0], FINDING)
    used = set(re.findall(r"#[0-9a-f]{6}\b", shown[0][0]["image/svg+xml"]))
    known = {figures.INK, figures.MUTED, figures.GRID, figures.PAPER, *figures.COLORS}
    assert used <= known, used - known
    # Black is not written into an SVG, so ask the figure, too.
    texts = labeled()[0].findobj(Text)
    assert {to_hex(text.get_color()) for text in texts} <= known


@pytest.mark.parametrize("text", ["", "Loss.", "A sentence that never comes to its end"])
def test_a_figure_needs_a_sentence(text, shown):
    with pytest.raises(ValueError, match="description"):
        figures.show(labeled()[0], text)
    assert not shown


@pytest.mark.parametrize("missing", ["xlabel", "ylabel"])
def test_axes_need_labels(missing, shown):
    fig, ax = labeled()
    ax.set(**{missing: ""})
    with pytest.raises(ValueError, match="label"):
        figures.show(fig, FINDING)
    assert not shown


def test_shared_axes_share_their_label(shown):
    fig, axes = figures.subplots(2, 2, sharex=True, sharey=True)
    for ax in axes[1]:
        ax.set_xlabel("epoch")
    for ax in axes[:, 0]:
        ax.set_ylabel("loss")
    figures.show(fig, FINDING)
    assert len(shown) == 1


def test_a_colorbar_needs_one_label(shown):
    fig, ax = labeled()
    bar = fig.colorbar(ax.imshow([[0, 1]]), ax=ax)
    with pytest.raises(ValueError, match="label"):
        figures.show(fig, FINDING)
    bar.set_label("probability")
    figures.show(fig, FINDING)


def test_not_a_figure():
    with pytest.raises(TypeError, match="figure"):
        figures.show("figure.png", FINDING)


def test_nothing_is_shown_unasked():
    """Figures are not pyplot's, so that a notebook does not show them a second time."""
    import matplotlib.pyplot as plt

    labeled()
    assert plt.get_fignums() == []
    assert isinstance(labeled()[0], Figure)


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a, b):
    """WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


# The palette is written where each host needs it. These are all the places.
TWO = re.compile(r"--([\w-]+): (?:var\(--\w+, )?light-dark\((#\w+), (#\w+)\)")
NEUTRAL = {"ink": figures.INK, "paper": figures.PAPER, "muted": figures.MUTED, "line": figures.GRID}
STYLE = {name: pair for name, *pair in TWO.findall((STATIC / "style.css").read_text())}
PLAY = {name: pair for name, *pair in TWO.findall((CONTENT / "play" / "parts.mjs").read_text())}
SERIES = [PLAY.pop(f"play-{number}") for number in range(1, 1 + len(figures.COLORS))]


def test_pages_figures_and_what_stands_for_them_have_the_same_neutral_colors():
    assert {name: STYLE[name][0] for name in NEUTRAL} == NEUTRAL
    assert PLAY == {f"play-{name}": STYLE[name] for name in (*NEUTRAL, "surface", "accent")}
    light = [STYLE[name][0] for name in ("ink", "paper", "muted", "accent")]
    assert [metadata.INK, metadata.PAPER, metadata.MUTED, metadata.ACCENT] == light
    plain = re.findall(r"light-dark\((#\w+), (#\w+)\)", (STATIC / "plain.css").read_text())
    assert [list(pair) for pair in plain] == [STYLE[name] for name in ("ink", "paper", "accent")]
    assert f'fill="{STYLE["accent"][0]}"' in (STATIC / "icon.svg").read_text()


def test_the_site_exchanges_the_neutral_colors_of_drawings_in_the_dark():
    """And a drawing's paper vanishes into the page in both variants."""
    pairs = palette(Book.read().settings["site"]["options"]["palette"])
    assert list(pairs) == [figures.INK, figures.PAPER, figures.MUTED, figures.GRID]
    for name in ("ink", "paper", "muted"):  # a line is fainter on the page than in a drawing
        assert pairs[NEUTRAL[name]] == STYLE[name][1]


def test_drawings_have_the_colors_of_figures_and_no_other():
    paint = re.compile(r'\b(?:fill|stroke|color|stop-color)\s*[=:]\s*"?([^";]+)')
    found = {path.name: set(paint.findall(path.read_text())) for path in CONTENT.rglob("*.svg")}
    assert len(found) > 20 and all(found.values())
    known = {"none", *NEUTRAL.values(), *figures.COLORS}
    assert {name: colors - known for name, colors in found.items() if colors - known} == {}


def hue(color):
    return rgb_to_hsv(to_rgb(color))[0] * 360


def test_series_stand_out_and_those_of_figures_that_answer_are_theirs_made_readable():
    for color, pair in zip(figures.COLORS, SERIES, strict=True):
        for page, series in zip(STYLE["paper"], pair, strict=True):
            assert contrast(color, page) >= 3
            assert contrast(series, page) >= 4.5
            assert abs(hue(series) - hue(color)) < 5


def test_text_stands_out():
    assert contrast(figures.INK, figures.PAPER) >= 7
    assert contrast(figures.MUTED, figures.PAPER) >= 4.5


def test_table_is_markdown_and_refuses_ragged_rows(monkeypatch):
    seen = []
    monkeypatch.setattr(figures, "display", seen.append)
    figures.table(["a", "b"], [(1, "x|y")], "Caption.")
    assert seen[0].data.splitlines() == [
        "Caption.",
        "",
        "| a | b |",
        "| --- | --- |",
        "| 1 | x\\|y |",
    ]
    with pytest.raises(ValueError, match="row 1 has 3 cells"):
        figures.table(["a", "b"], [(1, 2), (1, 2, 3)])
